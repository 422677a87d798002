/** What Kafka does with old records of a topic: drop them by age, or keep the newest per key. */
export type Cleanup = { readonly policy: 'delete'; readonly retentionMs: number } | { readonly policy: 'compact' };

/** A topic as it is declared once and created by one step. Key = aggregate id; order holds per key. */
export interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: Cleanup;
  /** Where it differs from what brokers take by default, 1 MiB. */
  readonly maxRecordBytes?: number;
  readonly meaning: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

// A week is what a team needs to notice a broken consumer on Friday and replay on Monday; inboxes remember longer.
export const MESSAGE_RETENTION_MS = 7 * DAY_MS;

// Dead letters wait for a person: a month covers a holiday.
const DEAD_LETTER_RETENTION_MS = 30 * DAY_MS;

// The largest record that any topic takes, with the reason and the stack beside it, must still become a dead letter.
const DEAD_LETTER_MAX_BYTES = 2 * 1024 * 1024;

// Six divides evenly by one, two, three and six replicas of a service.
const PARTITIONS = 6;

const DELETE: Cleanup = { policy: 'delete', retentionMs: MESSAGE_RETENTION_MS };

function topic(name: string, meaning: string, cleanup: Cleanup = DELETE): Topic {
  return { name, partitions: PARTITIONS, cleanup, meaning };
}

export const topics = {
  orderEvents: topic('order.events.v1', 'What became of each order. Key: order id.'),
  inventoryCommands: topic('inventory.commands.v1', 'What the checkout asks of the warehouse. Key: order id.'),
  inventoryEvents: topic('inventory.events.v1', 'What the warehouse did for each order. Key: order id.'),
  catalogEvents: topic('catalog.events.v1', 'The newest name and price of each product. Key: sku.', {
    policy: 'compact',
  }),
  paymentCommands: topic('payment.commands.v1', 'What the checkout asks of the cashier. Key: order id.'),
  paymentEvents: topic('payment.events.v1', 'What happened to the money of each order. Key: order id.'),
  shippingCommands: topic('shipping.commands.v1', 'What the checkout asks of the dispatcher. Key: order id.'),
  shippingEvents: topic('shipping.events.v1', 'Where the parcel of each order is. Key: order id.'),
  notificationEvents: topic('notification.events.v1', 'Which customer was told what. Key: order id.'),
} as const satisfies Record<string, Topic>;

/** The dead-letter topic of a consumer group: `<group>.dlq`. */
export function deadLetterTopic(group: string): Topic {
  return {
    name: `${group}.dlq`,
    partitions: 1,
    cleanup: { policy: 'delete', retentionMs: DEAD_LETTER_RETENTION_MS },
    maxRecordBytes: DEAD_LETTER_MAX_BYTES,
    meaning: `Messages that ${group} could not handle, with reason and origin.`,
  };
}
