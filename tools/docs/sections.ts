import { catalogue, deadLetterTopic, topics } from '../../libs/contracts/src/index.ts';
import { ends, initial } from '../../apps/order/src/checkout/domain/checkout.ts';
import { checkoutProcess } from '../../apps/order/src/checkout/domain/checkout.process.ts';
import { mermaidOf, tableOf } from '../../libs/messaging/src/process/index.ts';
import type { Group } from './service-map.ts';

// The diagram shows where deadlines lead, not how long they are.
const anyDeadlines = { stockMs: 1, paymentMs: 1, dispatchMs: 1, recallMs: 1, captureMs: 1, undoMs: 1 };

/** The generated parts of ARCHITECTURE.md by name. */
export function sections(groups: readonly Group[]): ReadonlyMap<string, string> {
  const checkout = checkoutProcess(anyDeadlines);
  return new Map([
    ['service-map', serviceMap(groups)],
    ['groups', groupTable(groups)],
    ['topics', topicTable(groups)],
    ['messages', messageTable(groups)],
    ['checkout-diagram', `\`\`\`mermaid\n${mermaidOf(checkout, initial, ends)}\n\`\`\``],
    ['checkout-table', tableOf(checkout)],
  ]);
}

/** Events are said by the service that owns the topic; commands are said by the checkout of the order service. */
function speakerOf(topic: string): string {
  const [owner = '', kind] = topic.split('.');
  if (owner === 'catalog') return 'inventory';
  return kind === 'commands' ? 'order' : owner;
}

function serviceMap(groups: readonly Group[]): string {
  const lines = ['```mermaid', 'flowchart LR'];
  const services = [...new Set(groups.map(({ service }) => service))].toSorted();
  for (const service of services) lines.push(`  ${service}[${service}]`);
  for (const { name } of Object.values(topics)) {
    lines.push(`  ${idOf(name)}([${name}])`, `  ${speakerOf(name)} --> ${idOf(name)}`);
    const hearers = groups.filter(({ hears }) => hears.some(({ topic }) => topic.name === name));
    for (const { service, name: group } of hearers) lines.push(`  ${idOf(name)} -- ${group} --> ${service}`);
  }
  return [...lines, '```'].join('\n');
}

function groupTable(groups: readonly Group[]): string {
  return table(
    ['consumer group or job', 'kind', 'hears', 'dead letters'],
    groups.map(({ name, kind, hears }) => [
      `\`${name}\``,
      kind,
      hears.map(({ type }) => type).join(', '),
      kind === 'due' ? '' : `\`${deadLetterTopic(name).name}\``,
    ]),
  );
}

function topicTable(groups: readonly Group[]): string {
  return table(
    ['topic', 'partitions', 'kept', 'said by', 'heard by', 'meaning'],
    Object.values(topics).map(({ name, partitions, cleanup, meaning }) => [
      `\`${name}\``,
      String(partitions),
      cleanup.policy === 'compact' ? 'newest per key' : `${cleanup.retentionMs / (24 * 60 * 60 * 1000)} days`,
      speakerOf(name),
      groups
        .filter(({ hears }) => hears.some(({ topic }) => topic.name === name))
        .map((group) => `\`${group.name}\``)
        .join(', '),
      meaning,
    ]),
  );
}

function messageTable(groups: readonly Group[]): string {
  return table(
    ['message', 'version', 'topic', 'heard by', 'meaning'],
    catalogue.map((contract) => [
      contract.type,
      String(contract.version),
      `\`${contract.topic.name}\``,
      groups
        .filter(({ hears }) => hears.includes(contract))
        .map(({ name }) => `\`${name}\``)
        .join(', '),
      contract.meaning,
    ]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function idOf(topic: string): string {
  return topic.replaceAll('.', '_');
}
