/** The relays of a database listen here: a NOTIFY says that there is something to send. */
export const NOTIFY_CHANNEL = 'millrace_outbox';

/** The payload that says that topics were frozen or thawed: relays look at once. */
export const LOOK_AT_TOPICS = 'look-at-topics';
