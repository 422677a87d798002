import type { Database } from '@millrace/database';
import type { Applied } from '../comparison.ts';
import { groups, type HandlerName } from '../service/contracts.ts';
import { copyTemplate, sessionsOf } from './database.ts';

/** A call of the outside world. `began` and `ended` are ticks of one clock; `ended` is null while it goes on. */
export interface Call {
  readonly account: string;
  readonly id: string;
  readonly key: string;
  readonly began: number;
  readonly ended: number | null;
}

/** The database of one scenario's service: what is written there, and what the suite writes there to make trouble. */
export class Books {
  readonly url: string;
  readonly database: Database;

  private constructor(url: string) {
    this.url = url;
    this.database = sessionsOf(url);
  }

  /** Copies the template. Whoever opened them closes them. */
  static async open(postgresUrl: string): Promise<Books> {
    return new Books(await copyTemplate(postgresUrl));
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  async trouble(account: string, kind: 'refuse' | 'fail' | 'break' | 'wait', line?: number): Promise<void> {
    await this.database.query('INSERT INTO trouble VALUES ($1, $2, $3)', [account, line ?? null, kind]);
  }

  async noTrouble(account: string): Promise<void> {
    await this.database.query('DELETE FROM trouble WHERE account = $1', [account]);
  }

  /** The process in which a message of an account waits, or waited, because of `trouble(account, 'wait')`. */
  async heldUpBy(account: string): Promise<string | undefined> {
    const { rows } = await this.database.query<{ replica: string }>(
      `SELECT replica FROM outside WHERE what = 'wait' AND account = $1`,
      [account],
    );
    return rows[0]?.replica;
  }

  /** What a group applied, in order. */
  async applied(handler: HandlerName): Promise<readonly (Applied & { readonly replica: string })[]> {
    const { rows } = await this.database.query<{ account: string; id: string; replica: string }>(
      'SELECT account, message_id AS id, replica FROM ledger WHERE consumer_group = $1 ORDER BY seq',
      [groups[handler]],
    );
    return rows;
  }

  /** What the outside world was asked, in order. */
  async calls(): Promise<readonly Call[]> {
    const { rows } = await this.database.query<Call & Record<string, unknown>>(
      `SELECT account, message_id AS id, idempotency_key AS key, began::int, ended::int FROM outside
        WHERE what = 'call' ORDER BY began`,
    );
    return rows;
  }

  /** How many messages of a group are parked. */
  async parked(handler: HandlerName): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM messaging.parked_message WHERE consumer_group = $1',
      [groups[handler]],
    );
    return rows[0]?.n ?? 0;
  }

  async waitingInOutbox(): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>('SELECT count(*)::int AS n FROM messaging.outbox');
    return rows[0]?.n ?? 0;
  }
}
