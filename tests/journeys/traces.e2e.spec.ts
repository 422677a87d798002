import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shop } from '@millrace/embedded';
import { until } from '@millrace/messaging/testing';
import { type Check, openStage, scenes, type ServiceName, services } from '@millrace/shop';
import { findingsOf, labelOf } from '../traces/edges.ts';
import { secretsIn } from '../traces/secrets.ts';
import { completed, holdExpired, storiesOfScene, type Story, timedOut } from '../traces/stories.ts';
import { startTraceReceiver, type TraceReceiver } from '../traces/trace-receiver.ts';
import { place, type Wish } from './customers.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 300_000;

// An order comes to its end here also when services have to start first.
const PATIENCE = { timeoutMs: 60_000 };

// Spans are sent once a second; this is for a machine that is busy with something else.
const ARRIVES_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

const TRACE_UI_URL = 'http://traces.example:16686';

interface Timeline {
  readonly traceId?: string;
  readonly traceUrl?: string;
  readonly entries: readonly { readonly type: string; readonly about?: string }[];
}

describe('the traces of the shop', () => {
  let shop: Shop;
  let receiver: TraceReceiver;

  beforeAll(async () => {
    receiver = await startTraceReceiver();
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, LOG_LEVEL: 'info' };
    // Whether an order is recorded is decided where it comes in. All others would record none by themselves.
    const inner = { ...traced, TRACE_SAMPLE_RATIO: '0' };
    shop = await shopUnderTest({
      replicas: { order: 2, inventory: 2 },
      env: {
        order: { ...traced, TRACE_SAMPLE_RATIO: '1', TRACE_UI_URL },
        inventory: inner,
        payment: inner,
        // A customer who cancels needs time to do it in, also where processes stand still for seconds.
        shipping: { ...inner, CARRIER_DISPATCH_AFTER_MS: '5000' },
        notification: inner,
        analytics: inner,
      },
    });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
    await receiver?.close();
  });

  /** What is wrong with a trace once its spans have arrived. */
  const findingsAtLast = async (traceId: string, stories: readonly Story[]): Promise<readonly string[]> => {
    for (const end = Date.now() + ARRIVES_WITHIN_MS; ;) {
      const findings = findingsOf(receiver.trace(traceId), stories);
      if (findings.length === 0 || Date.now() > end) return findings;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  const timelineOf = async (orderId: string): Promise<Timeline> =>
    (await (await fetch(`${shop.urls.order}/orders/${orderId}/timeline`)).json()) as Timeline;
  /** The timeline of an order when it has ended and its customer was told. */
  const endOf = (orderId: string, last = 'order-dispatched'): Promise<Timeline> =>
    until(
      `${last} of order ${orderId}`,
      async () => {
        const timeline = await timelineOf(orderId);
        return timeline.entries.some(({ about }) => about === last) && timeline;
      },
      PATIENCE,
    );
  const placeMany = (count: number, wish?: Wish): Promise<readonly string[]> =>
    Promise.all(Array.from({ length: count }, () => place(shop.urls.order, wish)));
  const startAnew = async (service: ServiceName, env: Readonly<Record<string, string>>): Promise<void> => {
    await Promise.all(
      shop.services[service].map(async (replica) => {
        await replica.stop();
        await replica.start(env);
        await replica.ready();
      }),
    );
  };
  const logLinesOf = async (service: ServiceName): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const files = await Promise.all(shop.services[service].map(({ logFile }) => readFile(logFile, 'utf8')));
    return files.flatMap((text) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
    );
  };

  it.each(scenes)(
    'tell of "$name" from the request to the last mail: each order is one tree',
    async (scene) => {
      const checks: Check[] = [];
      const traceIds: string[] = [];
      const stage = await openStage(shop.urls, {
        placed: ({ traceId }) => traceIds.push(traceId ?? 'of an order that is not recorded'),
        heard: () => {},
        told: () => {},
        checked: (check) => checks.push(check),
      });
      await scene.play(stage);
      expect(checks.filter(({ holds }) => !holds)).toEqual([]);
      expect(traceIds.length).toBeGreaterThan(0);
      for (const traceId of traceIds) {
        expect(await findingsAtLast(traceId, storiesOfScene[scene.name] ?? [])).toEqual([]);
        const spans = receiver.trace(traceId);
        // A try may fail on a busy machine; it is made again then.
        const mails = spans.filter(({ name, isError }) => name === 'smtp send' && !isError);
        expect(mails.map(({ events }) => events.map(({ name }) => name))).toEqual(mails.map(() => ['mail sent']));
      }
    },
    TEST_TIMEOUT_MS,
  );

  it('cross all six services and their replicas, and link what one transaction served', () => {
    const spans = receiver.spans();
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(services));
    for (const service of ['order', 'inventory']) {
      const instances = spans.filter((span) => span.service === service).map(({ instance }) => instance);
      expect(new Set(instances).size).toBe(2);
    }
    const batches = new Map(
      spans.filter(({ name }) => name.startsWith('settle ')).map((batch) => [batch.spanId, batch]),
    );
    // The read models gather messages, so there are batches in a service that would record nothing by itself.
    expect([...batches.values()].map(({ service }) => service)).toContain('analytics');
    const members = spans.filter(({ links }) => links.some(({ spanId }) => batches.has(spanId)));
    expect(members.length).toBeGreaterThan(0);
    for (const { spanId, links } of members) {
      const batch = batches.get(links.find((link) => batches.has(link.spanId))?.spanId ?? '');
      expect(batch?.links.map((link) => link.spanId)).toContain(spanId);
    }
  });

  it('say where each message stood and how long it waited', () => {
    const sends = receiver.spans().filter(({ kind }) => kind === 'producer');
    for (const { attributes } of sends) {
      expect(attributes).toMatchObject({
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.destination.partition.id': expect.stringMatching(/^\d+$/),
        'messaging.kafka.offset': expect.any(Number),
        'messaging.message.id': expect.any(String),
        'messaging.client.id': expect.stringMatching(/-relay$/),
        'millrace.outbox.dwell_ms': expect.any(Number),
      });
    }
    const heard = receiver.spans().filter(({ kind }) => kind === 'consumer');
    for (const { attributes } of heard) {
      expect(attributes).toMatchObject({
        'messaging.consumer.group.name': expect.any(String),
        'messaging.destination.partition.id': expect.any(String),
        'messaging.kafka.offset': expect.any(Number),
        'messaging.message.id': expect.any(String),
      });
    }
  });

  it('tell nobody who the customers are', () => {
    expect(secretsIn(receiver.spans())).toEqual([]);
  });

  it(
    'are found from the order, and so are the log lines about it',
    async () => {
      const [orderId = ''] = await placeMany(1, { paymentToken: 'tok_error_then_success' });
      const { traceId = '', traceUrl } = await endOf(orderId);
      expect(traceUrl).toBe(`${TRACE_UI_URL}/trace/${traceId}`);
      expect(await findingsAtLast(traceId, [completed])).toEqual([]);
      const tries = receiver.trace(traceId).filter(({ name }) => name === 'payment-provider authorize');
      expect(tries.map(({ isError }) => isError).toSorted()).toEqual([false, true]);
      const line = (await logLinesOf('payment')).find((each) => each['orderId'] === orderId);
      const process = receiver.trace(traceId).find((span) => span.spanId === line?.['spanId']);
      expect(line).toMatchObject({ msg: expect.stringMatching(/^parked: /), traceId });
      expect(process && labelOf(process)).toBe('payment: process payment.commands.v1 AuthorizePayment');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'go on when a deadline passes, and when a hold ends',
    async () => {
      await startAnew('order', { CHECKOUT_DISPATCH_DEADLINE_MS: '500' });
      for (const shipping of shop.services.shipping) await shipping.stop();
      const [late = ''] = await placeMany(1);
      await until(
        'the deadline passed',
        async () => (await timelineOf(late)).entries.some(({ type }) => type === 'DeadlineExpired'),
        PATIENCE,
      );
      for (const shipping of shop.services.shipping) await shipping.start();
      const timeline = await endOf(late, 'order-cancelled');
      expect(await findingsAtLast(timeline.traceId ?? '', [timedOut])).toEqual([]);

      await startAnew('order', {});
      await startAnew('inventory', { STOCK_HOLD_MS: '500' });
      for (const payment of shop.services.payment) await payment.stop();
      const [unpaid = ''] = await placeMany(1);
      await until(
        'the hold ended',
        async () => (await timelineOf(unpaid)).entries.some(({ type }) => type === 'StockReleased'),
        PATIENCE,
      );
      for (const payment of shop.services.payment) await payment.start();
      const { traceId = '' } = await endOf(unpaid, 'order-cancelled');
      expect(await findingsAtLast(traceId, [holdExpired])).toEqual([]);
      await startAnew('inventory', {});
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'exist for a share of the orders, each recorded everywhere or nowhere',
    async () => {
      await startAnew('order', { TRACE_SAMPLE_RATIO: '0.5' });
      const timelines = await Promise.all((await placeMany(24)).map((orderId) => endOf(orderId)));
      const recorded = timelines.filter(({ traceUrl }) => traceUrl !== undefined);
      const others = timelines.filter(({ traceUrl }) => traceUrl === undefined);
      // One order in sixteen million such groups of 24 would be alone in its half.
      expect(recorded.length).toBeGreaterThan(0);
      expect(others.length).toBeGreaterThan(0);
      for (const { traceId = '' } of recorded) expect(await findingsAtLast(traceId, [completed])).toEqual([]);
      for (const { traceId = '' } of others) expect(receiver.trace(traceId)).toEqual([]);
      await startAnew('order', {});
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are lost when nobody takes them, which stops no order and is told once, and so is the end of it',
    async () => {
      const told = async (what: string): Promise<number> =>
        (await logLinesOf('order')).filter(({ msg }) => String(msg).includes(what)).length;
      const replicas = shop.services.order.length;
      receiver.mood = 'refuses';
      for (const mood of ['refuses', 'hangs'] as const) {
        receiver.mood = mood;
        const before = receiver.requests;
        await Promise.all((await placeMany(20)).map((orderId) => endOf(orderId)));
        await until('spans were offered', () => receiver.requests > before + 2 * replicas, PATIENCE);
      }
      // Before anybody takes spans again: an export that is late on a crowded machine would be an outage of its own.
      const outages = await told('takes no spans');
      expect(outages).toBeGreaterThan(0);
      expect(outages).toBeLessThanOrEqual(replicas);
      receiver.mood = 'takes';
      await until(
        'each tells that it is over',
        async () => {
          for (const url of shop.services.order.map((each) => each.url)) await endOf(await place(url));
          return (await told('takes spans again')) >= 1;
        },
        PATIENCE,
      );
      const [orderId = ''] = await placeMany(1);
      const { traceId = '' } = await endOf(orderId);
      expect(await findingsAtLast(traceId, [completed])).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
