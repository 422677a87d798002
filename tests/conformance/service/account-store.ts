import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageOf } from '@millrace/contracts';
import type { Database, Queryable } from '@millrace/database';
import { type Decision, keyedStore, PermanentFailure, type StateStore } from '@millrace/messaging';
import { Enter, Entered } from './contracts.ts';

type EnterMessage = MessageOf<typeof Enter>;
type AboutLine = EnterMessage | MessageOf<typeof Entered>;

interface Trouble {
  readonly account: string;
  readonly line: number | null;
  readonly kind: 'refuse' | 'fail' | 'break' | 'wait';
}

/** An account as a decision sees it. */
export interface Account {
  readonly lines: number;
  /** What this batch applied to it, in order. */
  readonly applied: readonly string[];
  readonly troubles: readonly Trouble[];
}

// More than the table allows: the statement fails, and with it the transaction.
const TOO_MANY_LINES = 1_000_000;

const LOOK_EVERY_MS = 20;

/** Where the handlers of the service read and write; `outside` is for what a rollback must not undo. */
export interface Books {
  readonly outside: Database;
  readonly replica: string;
}

/** The accounts of one group, with a ledger of every application. A batch waits while there is a `wait` for one of its accounts. */
export function accountStore(group: string, books: Books): StateStore<Account | undefined, EnterMessage> {
  const store = keyedStore<Account, EnterMessage>({
    load: async (db, accounts, lock) => {
      if (lock) {
        // So that there is a row to lock, whoever comes first.
        await db.query(
          'INSERT INTO account SELECT $1, a, 0 FROM unnest($2::text[]) AS a ORDER BY a ON CONFLICT DO NOTHING',
          [group, accounts],
        );
      }
      const { rows } = await db.query<{ account: string; lines: number }>(
        `SELECT account, lines FROM account WHERE consumer_group = $1 AND account = ANY($2) ORDER BY account
           ${lock ? 'FOR UPDATE' : ''}`,
        [group, accounts],
      );
      const troubles = await troublesOf(db, accounts);
      const lines = new Map(rows.map((row) => [row.account, row.lines]));
      return new Map(
        accounts.map((account) => [
          account,
          {
            lines: lines.get(account) ?? 0,
            applied: [],
            troubles: troubles.filter((trouble) => trouble.account === account),
          },
        ]),
      );
    },
    save: async (tx, changes) => {
      await tx.query(
        `UPDATE account SET lines = u.lines FROM unnest($2::text[], $3::int[]) AS u(account, lines)
          WHERE account.consumer_group = $1 AND account.account = u.account`,
        [group, changes.map(({ key }) => key), changes.map(({ after }) => after.lines)],
      );
      const applied = changes.flatMap(({ key, after }) => after.applied.map((id) => ({ key, id })));
      await tx.query(
        `INSERT INTO ledger (consumer_group, account, message_id, replica)
         SELECT $1, account, id, $4 FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS u(account, id, n) ORDER BY n`,
        [group, applied.map(({ key }) => key), applied.map(({ id }) => id), books.replica],
      );
    },
  });
  return {
    async load(db, messages, options) {
      if (options.lock) await untilNothingToWaitFor(db, messages, books);
      return store.load(db, messages, options);
    },
  };
}

/** Writes a line, says so, and fails as the account's troubles demand. */
export function enter(account: Account | undefined, message: EnterMessage): Decision<Account | undefined> {
  const { lines = 0, applied = [], troubles = [] } = account ?? {};
  const kinds = troubles.filter(({ line }) => line === null || line === message.body.line).map(({ kind }) => kind);
  if (kinds.includes('refuse')) throw new PermanentFailure('refused', 'no such line can ever be written');
  if (kinds.includes('fail')) throw new Error('the pen is empty');
  const next = kinds.includes('break') ? TOO_MANY_LINES : lines + 1;
  return {
    state: { lines: next, applied: [...applied, message.id], troubles },
    messages: [Entered({ account: message.body.account, line: message.body.line, lines: next })],
  };
}

/** The troubles of these accounts at this moment. */
export async function troublesOf(db: Queryable, accounts: readonly string[]): Promise<readonly Trouble[]> {
  const { rows } = await db.query<Trouble>('SELECT account, line, kind FROM trouble WHERE account = ANY($1)', [
    accounts,
  ]);
  return rows;
}

/** Waits, where the suite can see it, until no account of these messages has a `wait` any more. */
export async function untilNothingToWaitFor(
  db: Queryable,
  messages: readonly AboutLine[],
  { outside, replica }: Books,
): Promise<void> {
  const accounts = [...new Set(messages.map(({ key }) => key))];
  const isWaiting = async (): Promise<boolean> => {
    const waits = (await troublesOf(db, accounts)).filter(({ kind }) => kind === 'wait');
    return messages.some(({ key, body }) =>
      waits.some(({ account, line }) => account === key && (line === null || line === body.line)),
    );
  };
  if (!(await isWaiting())) return;
  for (const { id, key } of messages) {
    await outside.query(`INSERT INTO outside (what, account, message_id, replica) VALUES ('wait', $1, $2, $3)`, [
      key,
      id,
      replica,
    ]);
  }
  while (await isWaiting()) await sleep(LOOK_EVERY_MS);
}
