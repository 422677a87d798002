import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageOf } from '@millrace/contracts';
import { decides, type Handler, PermanentFailure, performs, projects, type RetryPolicy } from '@millrace/messaging';
import { type Account, accountStore, type Books, enter, troublesOf, untilNothingToWaitFor } from './account-store.ts';
import { Enter, Entered, groups, type HandlerName } from './contracts.ts';

// As quick as the outside world ever is.
const CALL_MS = 5;

/** The handlers by name; each hears, in a group of its own, what the others hear. */
export function handlerOf(name: HandlerName, books: Books, retry: RetryPolicy): Handler {
  switch (name) {
    case 'decide':
      return decides({ hears: [Enter], store: accountStore(groups.decide, books), decide: enter, retry });
    case 'perform':
      return performs({
        hears: [Enter],
        store: accountStore(groups.perform, books),
        retry,
        perform: async (_account: Account | undefined, message, { idempotencyKey }) =>
          call(books, message, idempotencyKey),
        decide: (account: Account | undefined, message) => enter(account, message),
      });
    case 'project':
      return projects({
        hears: [Entered],
        retry,
        project: async (tx, messages: readonly MessageOf<typeof Entered>[]) => {
          await untilNothingToWaitFor(tx, messages, books);
          await tx.query(
            `INSERT INTO balance
             SELECT account, count(*), (array_agg(line ORDER BY n DESC))[1]
               FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS u(account, line, n) GROUP BY account
             ON CONFLICT (account) DO UPDATE SET lines = balance.lines + excluded.lines, last_line = excluded.last_line`,
            [messages.map(({ key }) => key), messages.map(({ body }) => body.line)],
          );
          await tx.query(
            `INSERT INTO ledger (consumer_group, account, message_id, replica)
             SELECT $1, account, id, $4 FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS u(account, id, n) ORDER BY n`,
            [groups.project, messages.map(({ key }) => key), messages.map(({ id }) => id), books.replica],
          );
        },
      });
  }
}

/** The outside world: notes when a call began and when it ended. */
async function call(books: Books, message: MessageOf<typeof Enter>, idempotencyKey: string): Promise<void> {
  const { outside, replica } = books;
  const { rows } = await outside.query<{ began: string }>(
    `INSERT INTO outside (what, account, message_id, idempotency_key, replica)
     VALUES ('call', $1, $2, $3, $4) RETURNING began`,
    [message.key, message.id, idempotencyKey, replica],
  );
  const kinds = (await troublesOf(outside, [message.key]))
    .filter(({ line }) => line === null || line === message.body.line)
    .map(({ kind }) => kind);
  await untilNothingToWaitFor(outside, [message], books);
  await sleep(CALL_MS);
  await outside.query(`UPDATE outside SET ended = nextval('outside_clock') WHERE began = $1`, [rows[0]?.began]);
  if (kinds.includes('refuse')) throw new PermanentFailure('refused', 'the outside world will never do that');
  if (kinds.includes('fail')) throw new Error('the outside world stumbled');
}
