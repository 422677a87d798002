import type { TestTopics } from '@millrace/messaging/testing';
import { groups, type HandlerName, ledgerCommands, ledgerEvents } from '../service/contracts.ts';

type Admin = ReturnType<TestTopics['kafka']['admin']>;

/** The consumer groups of one scenario's service, as Kafka knows them. */
export class Groups {
  readonly #admin: Admin;
  readonly #prefix: string;

  constructor(admin: Admin, prefix: string) {
    this.#admin = admin;
    this.#prefix = prefix;
  }

  /** The ids of the members of a group whose members have agreed who gets what; undefined while they have not. */
  async members(handler: HandlerName): Promise<readonly string[] | undefined> {
    const { groups: found } = await this.#admin.describeGroups([this.#idOf(handler)]);
    const [group] = found;
    if (group === undefined || !['Stable', 'Empty', 'Dead'].includes(group.state)) return undefined;
    return group.members.map(({ memberId }) => memberId).sort();
  }

  /** As `members`, whatever the group is doing. */
  async membersAtOnce(handler: HandlerName): Promise<readonly string[]> {
    const { groups: found } = await this.#admin.describeGroups([this.#idOf(handler)]);
    return found.flatMap(({ members }) => members.map(({ memberId }) => memberId));
  }

  /** The next offset that a group wants of each partition of its topic. */
  async committed(handler: HandlerName): Promise<ReadonlyMap<number, bigint>> {
    const [topic] = await this.#admin.fetchOffsets({
      groupId: this.#idOf(handler),
      topics: [this.#prefix + heardBy(handler)],
    });
    return new Map((topic?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** How many partitions of the group's topic hold something that it has not committed. */
  async openPartitions(handler: HandlerName): Promise<number> {
    const [ends, committed] = await Promise.all([
      this.#admin.fetchTopicOffsets(this.#prefix + heardBy(handler)),
      this.committed(handler),
    ]);
    return ends.filter(({ partition, high }) => high !== '0' && (committed.get(partition) ?? -1n) < BigInt(high))
      .length;
  }

  /** Puts the committed offsets of a group back to the first record. Rejects while the group has members. */
  async forgetOffsets(handler: HandlerName): Promise<void> {
    await this.#admin.resetOffsets({
      groupId: this.#idOf(handler),
      topic: this.#prefix + heardBy(handler),
      earliest: true,
    });
  }

  #idOf(handler: HandlerName): string {
    return this.#prefix + groups[handler];
  }
}

/** The topic that a handler hears. */
export function heardBy(handler: HandlerName): string {
  return handler === 'project' ? ledgerEvents.name : ledgerCommands.name;
}
