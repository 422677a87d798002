import type { Scenario } from '../scenario.ts';
import { crash } from './crash.ts';
import { deadLetters } from './dead-letters.ts';
import { once } from './once.ts';
import { order } from './order.ts';
import { brokerRestart, databaseOutage } from './outages.ts';
import { redelivery } from './redelivery.ts';
import { parked } from './parked.ts';
import { redrive } from './redrive.ts';
import { rebalance, shutdown, slowHandler } from './replicas.ts';
import { outbox, projection } from './sayings.ts';

/** All scenarios; every one runs on one broker and on three. */
export const scenarios: readonly Scenario[] = [
  ...order,
  ...once,
  ...redelivery,
  ...parked,
  ...deadLetters,
  ...redrive,
  ...rebalance,
  ...brokerRestart,
  ...slowHandler,
  ...shutdown,
  ...crash,
  ...databaseOutage,
  ...projection,
  ...outbox,
];
