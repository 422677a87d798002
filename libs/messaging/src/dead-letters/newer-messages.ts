import { headerNames, MESSAGE_RETENTION_MS, textOf } from '@millrace/contracts';
import type { Queryable } from '@millrace/database';
import { settledAlready } from '../inbox/inbox.ts';
import type { Kafka } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import type { Incoming } from '../runtime/incoming.ts';
import { decisionAbout } from './decisions.ts';
import type { DeadLetter, Place } from './letter.ts';
import { LogFollower, type Start } from './log-follower.ts';
import { startsIn } from './starts-in.ts';

/** A message of a letter's key that came after it and that its group has settled, or has queued before the letter. */
export interface NewerMessage extends Place {
  readonly messageId: string;
  readonly type: string;
  readonly appendedAt: Date;
}

/** What a letter would overtake if it were sent back now. */
export interface Overtaken {
  readonly newer: readonly NewerMessage[];
  /** The log does not reach back to the letter any more: what came first after it cannot be known. */
  readonly isLogCut: boolean;
}

/** Letters of one group that are to be sent back. */
export interface ChosenLetters {
  readonly kafka: Kafka;
  readonly chosen: readonly DeadLetter[];
  /** Those that the group has. */
  readonly all: readonly DeadLetter[];
  /** As in `MessagingOptions`. */
  readonly topicPrefix?: string;
}

// A lock is held meanwhile: what Kafka does not hand out by then makes the redrive fail instead.
const CATCH_UP_WITHIN_MS = 3_000;

/**
 * Watches the logs for messages that came after dead letters. Order is promised per key within a topic: nothing else is looked at. The
 * caller closes it.
 */
export class NewerMessages {
  readonly #log: LogFollower;
  readonly #found: ReadonlyMap<string, NewerMessage[]>;
  /** The newest letter of each message of the group. */
  readonly #letters: ReadonlyMap<string, DeadLetter>;

  private constructor(
    log: LogFollower,
    found: ReadonlyMap<string, NewerMessage[]>,
    letters: ReadonlyMap<string, DeadLetter>,
  ) {
    this.#log = log;
    this.#found = found;
    this.#letters = letters;
  }

  /** Reads what came after the chosen letters. */
  static async open({ kafka, topicPrefix = '', chosen, all }: ChosenLetters): Promise<NewerMessages> {
    const found = new Map(
      chosen.map((letter) => [keyOf(letter.origin.topic, letter.record.key), [] as NewerMessage[]]),
    );
    const onRecord = (record: Incoming): void => {
      const newer = messageOf(record);
      if (newer !== undefined) found.get(keyOf(record.topic, record.key))?.push(newer);
    };
    const starts = await startsOf(kafka, topicPrefix, chosen);
    const log = await LogFollower.open({ kafka, topicPrefix, starts, onRecord });
    try {
      await log.catchUp();
      const letters = new Map(all.flatMap((letter) => (letter.messageId ? [[letter.messageId, letter] as const] : [])));
      return new NewerMessages(log, found, letters);
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /**
   * What the letter would overtake. With `db` a transaction in which nobody can settle anything of the group meanwhile, the answer is
   * good until it ends.
   */
  async overtakenBy(db: Queryable, letter: DeadLetter): Promise<Overtaken> {
    const { key } = letter.record;
    if (key === null) return { newer: [], isLogCut: false };
    const { topic, partition, offset } = letter.origin;
    const lows = await this.#log.catchUp({ topic, withinMs: CATCH_UP_WITHIN_MS });
    const low = lows.get(placeOf(topic, partition));
    // A log that is gone tells nothing either.
    const isLogCut = low === undefined || low > BigInt(offset) + 1n;
    const later = (this.#found.get(keyOf(topic, key)) ?? []).filter(
      (message) =>
        message.messageId !== letter.messageId &&
        // In another partition stands only what was said after the topic had grown.
        (message.partition !== partition || BigInt(message.offset) > BigInt(offset)),
    );
    return { newer: later.length === 0 ? [] : await this.#settled(db, letter.group, later), isLogCut };
  }

  async #settled(db: Queryable, group: string, messages: readonly NewerMessage[]): Promise<readonly NewerMessage[]> {
    const known = await settledAlready(
      db,
      group,
      messages.map(({ messageId }) => messageId),
    );
    // The inbox forgets what is older; a compacted topic may still hold it, and its group has long been past it.
    const rememberedSince = Date.now() - MESSAGE_RETENTION_MS;
    const settled: NewerMessage[] = [];
    for (const message of messages) {
      const isSettled = known.has(message.messageId) || message.appendedAt.getTime() < rememberedSince;
      if (isSettled && !(await this.#cameToNothing(db, message))) settled.push(message);
    }
    return settled;
  }

  /** It is a dead letter itself, and nobody has sent it back. */
  async #cameToNothing(db: Queryable, { messageId }: NewerMessage): Promise<boolean> {
    const letter = this.#letters.get(messageId);
    return letter !== undefined && (await decisionAbout(db, letter))?.decision !== 'redriven';
  }

  async close(): Promise<void> {
    await this.#log.close();
  }
}

/** A message as far as its envelope tells; undefined for a record that no inbox can know. */
function messageOf({ topic, headers, partition, offset, timestampMs }: Incoming): NewerMessage | undefined {
  const messageId = textOf(headers[headerNames.id]);
  if (messageId === undefined || !UUID.test(messageId)) return undefined;
  const type = textOf(headers[headerNames.type]) ?? '';
  return { topic, partition, offset, messageId, type, appendedAt: new Date(timestampMs) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function startsOf(kafka: Kafka, topicPrefix: string, chosen: readonly DeadLetter[]): Promise<readonly Start[]> {
  const starts: Start[] = [];
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    for (const [topic, letters] of Map.groupBy(chosen, ({ origin }) => origin.topic)) {
      if (!existing.has(topicPrefix + topic)) continue;
      starts.push(...startsIn(topic, await admin.fetchTopicOffsets(topicPrefix + topic), letters));
    }
    return starts;
  } finally {
    await admin.disconnect();
  }
}

function keyOf(topic: string, key: Buffer | null): string {
  return `${topic} ${key?.toString('latin1') ?? ''}`;
}
