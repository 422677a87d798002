import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildOf, type ComposeFile, parseCompose } from './compose-file.ts';
import {
  environmentFindings,
  environmentOf,
  exampleFindings,
  parseExample,
  type ReadConfig,
  variablesReadBy,
} from './environment-policy.ts';

const root = join(import.meta.dirname, '../..');
const composeText = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const exampleText = readFileSync(join(root, '.env.example'), 'utf8');
const compose = parseCompose(composeText);
const services = readdirSync(join(root, 'apps'));

const readConfigOf = async (folder: string): Promise<ReadConfig> =>
  ((await import(join(root, folder, 'src/config.ts'))) as { readonly readConfig: ReadConfig }).readConfig;

/** All that a service may be told, whoever moves the money. */
async function variablesOf(service: string): Promise<ReadonlySet<string>> {
  const readConfig = await readConfigOf(`apps/${service}`);
  return new Set([...variablesReadBy(readConfig), ...variablesReadBy(readConfig, { PAYMENT_PROVIDER: 'stripe' })]);
}

describe('.env.example', () => {
  const findings = (composed: string, example: string) =>
    exampleFindings(parseCompose(composed), parseExample(example));

  it('has exactly the variables that compose reads, with their defaults, each explained', () => {
    expect(findings(composeText, exampleText)).toEqual([]);
    expect(parseExample(exampleText).length).toBeGreaterThan(20);
  });

  it.each([
    ['the example names it', 'GRAFANA_PORT', composeText, exampleText.replace('GRAFANA_PORT=3000', '')],
    [
      'the example has its default',
      'GRAFANA_PORT',
      composeText,
      exampleText.replace('GRAFANA_PORT=3000', 'GRAFANA_PORT=3001'),
    ],
    [
      'the example names it once',
      'GRAFANA_PORT',
      composeText,
      `${exampleText}\n# Grafana once more.\nGRAFANA_PORT=3000\n`,
    ],
    ['the example says what it is for', 'GRAFANA_PORT', composeText, exampleText.replace('# Grafana: dashboards.', '')],
    ['the compose file reads it', 'FORGOTTEN', composeText, `${exampleText}\n# Nobody knows why.\nFORGOTTEN=1\n`],
    [
      'it has the same default everywhere',
      'JAEGER_PORT',
      composeText.replace('${JAEGER_PORT:-16686}', '${JAEGER_PORT:-1}'),
      exampleText,
    ],
    [
      'it has a default',
      'GRAFANA_PORT',
      composeText.replaceAll('${GRAFANA_PORT:-3000}', '${GRAFANA_PORT}'),
      exampleText,
    ],
    [
      'it has a default',
      'GRAFANA_PORT',
      composeText.replaceAll('${GRAFANA_PORT:-3000}', '${GRAFANA_PORT:?set it}'),
      exampleText,
    ],
    ['it has a default', 'GRAFANA_PORT', composeText.replaceAll('${GRAFANA_PORT:-3000}', '$GRAFANA_PORT'), exampleText],
  ])('is refused when it breaks the rule that %s (%s)', (rule, where, composed, example) => {
    expect(findings(composed, example)).toContainEqual({ rule, where });
  });
});

describe('the environment that compose gives', () => {
  /** The file with other variables for one service. */
  function planted(service: string, environment: Readonly<Record<string, string>>): ComposeFile {
    return { services: { ...compose.services, [service]: { ...compose.services[service], environment } } };
  }

  it.each(services)('%s has every variable that it reads, and no other', async (service) => {
    expect(environmentFindings(compose, service, await variablesOf(service))).toEqual([]);
  });

  it.each([...services.map((service) => [service, `apps/${service}`]), ['gateway', 'infra/gateway']])(
    '%s is one that it starts with',
    async (service, folder) => {
      const readConfig = await readConfigOf(folder);
      expect(() => readConfig({ ...environmentOf(compose, service) })).not.toThrow();
    },
  );

  it('is refused when a variable is missing, or none that the service reads', async () => {
    const { MAX_STREAMS: _, ...rest } = compose.services['order']?.environment ?? {};
    const file = planted('order', { ...(rest as Record<string, string>), MAX_STREAM: '1' });
    expect(environmentFindings(file, 'order', await variablesOf('order'))).toEqual([
      { rule: 'compose sets it or passes it on', where: 'MAX_STREAMS' },
      { rule: 'the service reads it', where: 'MAX_STREAM' },
    ]);
  });

  it('is refused when a service could not start with it', async () => {
    const readConfig = await readConfigOf('apps/order');
    const file = planted('order', { ...environmentOf(compose, 'order'), MAX_STREAMS: 'many' });
    expect(() => readConfig({ ...environmentOf(file, 'order') })).toThrow('MAX_STREAMS is not valid');
  });

  it('the gateway has only variables that it reads', async () => {
    const read = variablesReadBy(await readConfigOf('infra/gateway'));
    const { environment = {} } = compose.services['gateway'] ?? {};
    expect(Object.keys(environment).filter((name) => !read.has(name))).toEqual([]);
  });

  it('the tools have only variables that their sources name', () => {
    const sources = globSync('infra/shop/src/**/*.ts', { cwd: root })
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    const tools = Object.values(compose.services).filter((each) => buildOf(each)?.args?.['FOLDER'] === 'infra/shop');
    const given = new Set(tools.flatMap(({ environment = {} }) => Object.keys(environment)));
    const databases = /^([A-Z_]+)_DATABASE_PASSWORD$/;
    expect([...given].filter((name) => !sources.includes(databases.test(name) ? '_DATABASE_PASSWORD' : name))).toEqual(
      [],
    );
  });
});
