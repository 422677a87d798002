import { beforeEach, describe, expect, it } from '@jest/globals';
import type { OutboxBacklog } from '@millrace/messaging';
import { Metrics } from '@millrace/observability';
import { Intake, type TurnedAway } from './intake.ts';

const limits = { outboxMessages: 1000, outboxAgeMs: 60_000, poolWaiters: 50, openPlacements: 20 };

let backlog: OutboxBacklog | undefined;
let poolWaiters: number;
let inWork: number;
let random: number;
let metrics: Metrics;
let intake: Intake;

beforeEach(() => {
  backlog = { messages: 0, oldestSeconds: 0, shrinksPerSecond: 0 };
  poolWaiters = 0;
  inWork = 0;
  random = 0;
  metrics = new Metrics();
  intake = new Intake({
    limits,
    outbox: () => backlog,
    poolWaiters: () => poolWaiters,
    inWork: () => inWork,
    metrics,
    random: () => random,
  });
});

const wait = (messages: number, oldestSeconds: number, shrinksPerSecond = 0): void => {
  backlog = { messages, oldestSeconds, shrinksPerSecond };
};
const counted = async (name: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    Array.from(
      (await metrics.text()).matchAll(new RegExp(`^${name}\\{([^}]*)\\} (\\d+)$`, 'gm')),
      ([, labels, times]) => [labels, Number(times)],
    ),
  );

describe('an order', () => {
  it('is let in up to each limit, and turned away from there on, with the reason', () => {
    wait(999, 59);
    poolWaiters = 49;
    expect(intake.letIn()).toBeUndefined();
    wait(1000, 59);
    expect(intake.letIn()).toMatchObject({ because: 'outbox-full' });
    wait(1, 60);
    expect(intake.letIn()).toMatchObject({ because: 'outbox-old' });
    wait(1, 1);
    poolWaiters = 50;
    expect(intake.letIn()).toMatchObject({ because: 'pool-busy' });
  });

  it('is let in when nothing is known of the outbox: acceptance itself will tell whether there is a database', () => {
    backlog = undefined;
    expect(intake.letIn()).toBeUndefined();
  });

  it('is turned away while as many as may wait for their answer, and let in after one is answered', () => {
    const asked = Array.from({ length: 21 }, () => intake.letIn());
    expect(asked.filter((each) => each === undefined)).toHaveLength(20);
    expect(asked.at(-1)).toEqual({ because: 'too-many-waiting', retryAfterSeconds: 1 });
    intake.answered();
    expect(intake.letIn()).toBeUndefined();
    expect(intake.letIn()).toMatchObject({ because: 'too-many-waiting' });
  });

  it('is turned away while the work of callers who hung up fills the place of new ones', () => {
    inWork = 20;
    expect(intake.letIn()).toMatchObject({ because: 'too-many-waiting' });
    inWork = 19;
    expect(intake.letIn()).toBeUndefined();
  });

  it.each([
    ['the time in which the excess is sent at the speed of the last seconds', [1500, 30, 50], 10],
    ['as long as nothing has been sent', [1500, 42, 0], 42],
    ['as long as it has lasted while it still grows', [1500, 42, -300], 42],
    ['not at once while nothing is sent', [1500, 0.2, 0], 5],
    ['a minute at most', [1500, 59, 1], 60],
    ['the time in which all of it is sent when it is old', [400, 60, 20], 20],
    ['a second at least', [1000, 1, 5000], 1],
  ] as const)('shall come again after %s', (_, [messages, oldestSeconds, speed], expected) => {
    wait(messages, oldestSeconds, speed);
    expect((intake.letIn() as TurnedAway).retryAfterSeconds).toBe(expected);
  });

  it('shall not come again together with all the others', () => {
    wait(1500, 20);
    random = 0.999;
    expect(intake.letIn()).toMatchObject({ retryAfterSeconds: 30 });
    wait(0, 0);
    poolWaiters = 50;
    expect(intake.letIn()).toMatchObject({ retryAfterSeconds: 2 });
  });
});

describe('a cancellation', () => {
  it('is let in whatever waits in the outbox, and turned away only when the database cannot keep up', () => {
    wait(1_000_000, 3600);
    expect(intake.letCancel()).toBeUndefined();
    poolWaiters = 50;
    expect(intake.letCancel()).toEqual({ because: 'pool-busy', retryAfterSeconds: 1 });
  });
});

it('counts from 0 what is turned away, by reason, and as one way in which orders are answered', async () => {
  expect(await counted('order_turned_away_total')).toEqual({
    'request="order",reason="outbox-full"': 0,
    'request="order",reason="outbox-old"': 0,
    'request="order",reason="pool-busy"': 0,
    'request="order",reason="too-many-waiting"': 0,
    'request="cancellation",reason="pool-busy"': 0,
  });
  wait(1000, 1);
  intake.letIn();
  intake.letIn();
  poolWaiters = 50;
  intake.letCancel();
  expect(await counted('order_turned_away_total')).toMatchObject({
    'request="order",reason="outbox-full"': 2,
    'request="cancellation",reason="pool-busy"': 1,
  });
  expect(await counted('order_placements_total')).toMatchObject({ 'outcome="too-busy"': 2, 'outcome="placed"': 0 });
});
