/** A figure that is compared with limits, one for each service, topic or database that it is counted for. */
export interface Budget {
  readonly figure: string;
  /** Whether the figure must not be above its limit, not below it, or exactly that. */
  readonly bound: 'most' | 'least' | 'exactly';
  readonly limits: Readonly<Record<string, number>>;
  /** What it means when the limit does not hold. */
  readonly meaning: string;
  readonly lookAt: string;
}

// A batch of one message. Where they are no whole numbers, batches of several kinds are averaged.
const STATEMENTS_ALONE = {
  // inbox, parked keys, load, save, outbox; accepting an order takes six, telling of a mail four
  order: 5,
  // as above, with loading and saving both reservations and stock
  inventory: 7,
  payment: 5,
  // five for a command, three for a parcel that is due
  shipping: 4.2,
  // four for a mail, two for an event that leads to none
  notification: 3.8,
  // inbox, parked keys, position, and up to four tables of figures
  analytics: 7,
} as const;

// The largest batch has messages of all kinds, and writes all that a service can write at once: no more statements than kinds.
const STATEMENTS_IN_BACKLOG = {
  // accepting orders takes six (keys, prices, states, orders, checkouts, outbox), other batches four or five: how many there are of each
  // depends on how the backlog is worked off
  order: 6,
  inventory: 7,
  // payments that are new, and those that change
  payment: 6,
  shipping: 5,
  // the states are loaded twice when a batch holds mails of both kinds
  notification: 6,
  analytics: 7,
} as const;

const TOO_MANY_STATEMENTS =
  'A batch takes more statements than it did, or one for each of its messages: the price of an order grows with every one.';

/**
 * What an order may cost in things that can be counted, whatever the machine is busy with. Times are not here: they are the
 * benchmark's. Whoever makes the shop cheaper lowers the limits; whoever raises one says in the commit what it is raised for.
 */
export const budgets = {
  statementsAlone: {
    figure: 'SQL statements per batch, one order at a time',
    bound: 'most',
    limits: STATEMENTS_ALONE,
    meaning: TOO_MANY_STATEMENTS,
    lookAt: 'libs/messaging/src/runtime/settle-batch.ts, and the store of the service',
  },
  statementsInBacklog: {
    figure: 'SQL statements per batch, backlog',
    bound: 'most',
    limits: STATEMENTS_IN_BACKLOG,
    meaning: `${TOO_MANY_STATEMENTS} If it holds for one order at a time, the statements grow with the messages.`,
    lookAt: 'libs/messaging/src/runtime/settle-batch.ts, and the store of the service',
  },
  messagesPerBatch: {
    figure: 'messages per batch, backlog',
    bound: 'least',
    // Only where a backlog really waits: the batches of the others are as large as what their neighbours have just said.
    limits: { inventory: 40, payment: 40, shipping: 40 },
    meaning: 'Messages that wait are no longer settled together, so each pays for a transaction of its own.',
    lookAt: 'libs/messaging/src/runtime/batch-worker.ts and call-worker.ts',
  },
  statementsPerOrder: {
    figure: 'SQL statements per order, backlog',
    bound: 'most',
    // On a slow machine news come in more and smaller batches, so these are twice to three times what was measured on one, and
    // below one statement more for each message. Mails come back from their server one by one: theirs is what they take alone.
    limits: { order: 6, inventory: 1, payment: 1, shipping: 1, notification: 30, analytics: 8, payment_provider: 0.5 },
    meaning: 'Something is done once for each message that was done once for many.',
    lookAt: 'the statements of this database, which are listed below by how often they were sent',
  },
  relayRounds: {
    figure: 'relay rounds per transaction that said something',
    bound: 'most',
    limits: { order: 1.2, inventory: 1.2, payment: 1.2, shipping: 1.2, notification: 1.2 },
    meaning:
      'The relay sends in several rounds what was stored in one transaction: each is a request and two statements.',
    lookAt: 'RELAY_BATCH_SIZE and the queries in libs/messaging/src/outbox/relay.ts',
  },
  produceRequests: {
    figure: 'Produce requests per relay round',
    bound: 'most',
    limits: { 'all services': 1.05 },
    meaning:
      'A round of the relay is one request to a broker; now topics, partitions or messages get requests of their own.',
    lookAt: 'libs/messaging/src/kafka/record-producer.ts',
  },
  offsetCommits: {
    figure: 'OffsetCommit requests per batch, backlog',
    bound: 'most',
    limits: { 'all services': 1 },
    meaning:
      'Offsets are committed more often than batches are settled; after a crash the inbox knows what was settled anyway.',
    lookAt: 'libs/messaging/src/runtime/offset-commits.ts',
  },
  fetches: {
    figure: 'Fetch requests per order, backlog',
    bound: 'most',
    // The 18 messages of an order are heard 31 times. Fetches that wait in vain come on top, more of them on a slow machine.
    limits: { 'all services': 20 },
    meaning: 'A fetch brings few messages where many wait.',
    lookAt: 'the fetch settings in libs/messaging/src/runtime/group-client.ts',
  },
  messages: {
    figure: 'messages per order',
    bound: 'exactly',
    limits: {
      'order.events.v1': 4,
      'inventory.commands.v1': 2,
      'inventory.events.v1': 2,
      'payment.commands.v1': 2,
      'payment.events.v1': 2,
      'shipping.commands.v1': 1,
      'shipping.events.v1': 3,
      'notification.events.v1': 2,
    },
    meaning: 'The checkout says more or less than it did, or a message was sent twice although nothing failed.',
    lookAt: 'apps/order/src/checkout, and what the relay did if a message is there twice',
  },
  messageBytes: {
    figure: 'bytes of messages per order',
    bound: 'most',
    // Keys, headers and bodies. Hundredths above what was measured, for numbers that have a digit more.
    limits: {
      'order.events.v1': 2940,
      'inventory.commands.v1': 990,
      'inventory.events.v1': 1085,
      'payment.commands.v1': 1030,
      'payment.events.v1': 1155,
      'shipping.commands.v1': 625,
      'shipping.events.v1': 1735,
      'notification.events.v1': 1055,
    },
    meaning: 'Messages have become larger: every reader, the broker and its disk pay for each byte.',
    lookAt: 'the contract in libs/contracts and libs/contracts/src/envelope/encode.ts',
  },
  logBytes: {
    figure: 'bytes of log segments per order',
    bound: 'most',
    // The messages, and the frames of records and of batches: what it would be if each message had a batch of its own.
    limits: { 'all topics': 12_000 },
    meaning: 'The broker stores more than it did, while the messages may be as small as before.',
    lookAt: 'libs/messaging/src/kafka/record-producer.ts, and how many messages the relay sends at once',
  },
  rows: {
    figure: 'rows that remain per order',
    bound: 'most',
    // A tenth is for rows that are not of an order: positions of partitions, figures of a minute.
    limits: {
      order: 14.2,
      inventory: 3.1,
      payment: 3.1,
      shipping: 2.1,
      notification: 4.1,
      analytics: 13.8,
      payment_provider: 2.1,
    },
    meaning: 'More is kept of each order than before, so tables, indexes and backups grow faster.',
    lookAt: 'the store and the migrations of the service',
  },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof budgets;
