/** What the runtime promises, in the order in which the page tells it. */
export const promises = {
  order: 'Messages of one key are applied in the order in which they were sent; calls for one key never overlap.',
  once: 'A message is applied once, however often it is sent.',
  redelivery: 'What was not settled is delivered again; what was settled has no second effect.',
  'parked keys':
    'A message that fails waits for another try, with those of its key behind it in order; all other keys go on.',
  'dead letters':
    'What can never be applied goes to the dead letters, byte for byte, at once or after its attempts; its neighbours go on.',
  redrive:
    'A dead letter that is sent back is applied once, and overtakes nothing of its key unless somebody allows that.',
  rebalance: 'Replicas come, go and die under load: nothing is lost, doubled or reordered.',
  'broker restart': 'A broker dies and comes back: nothing is lost, doubled or reordered, and nobody has to help.',
  'slow handler': 'A batch may take longer than the session: the member keeps its partitions.',
  shutdown: 'A replica that is asked to stop finishes its batch, commits, says what it has to say, and leaves at once.',
  crash: 'A process may die at any point: each effect is there once.',
  'database outage': 'While the database is away work waits; nothing is given up.',
  projection: 'A read model is rebuilt from the first message, and its position changes with it or not at all.',
  outbox: 'What was decided is said in the order of its key, by one replica at a time.',
} as const;

export type PromiseName = keyof typeof promises;
