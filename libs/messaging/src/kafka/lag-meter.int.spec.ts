import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { createLogger, Metrics } from '@millrace/observability';
import { tally, tallyStore, Workbench } from '../fixtures/index.ts';
import { decides } from '../handlers/handler.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { LagMeter, type LagReport } from './lag-meter.ts';
import { showLag } from './lag-metrics.ts';

const GROUP = 'test.lagging';
const TOPIC = 'payment.commands.v1';
const logger = createLogger({ service: 'test', level: 'silent' });
const handler = decides({ hears: [CapturePayment], store: tallyStore, decide: tally });

describe('the lag meter', () => {
  let bench: Workbench;
  const meters: LagMeter[] = [];
  beforeAll(async () => {
    bench = await Workbench.open([GROUP, 'test.never']);
  });
  afterEach(async () => {
    await bench.stopReplicas();
    await Promise.all(meters.splice(0).map((meter) => meter.close()));
  });
  afterAll(() => bench.close());

  const meterOf = (name: string): LagMeter => {
    const meter = new LagMeter({
      brokers: bench.topics.brokers,
      logger,
      topicPrefix: bench.topics.prefix,
      groups: [{ name, topics: [TOPIC] }],
    });
    meters.push(meter);
    return meter;
  };
  const send = (count: number): Promise<readonly string[]> =>
    bench.send(
      CapturePayment,
      Array.from({ length: count }, () => ({ orderId: newId<OrderId>() })),
    );
  /** As soon as the brokers can be asked: the meter tries little, because whoever asks does so again. */
  const measured = (meter: LagMeter): Promise<LagReport> =>
    until('the brokers answer', () => meter.measure().catch(() => undefined));
  const sum = ({ lags }: LagReport) => lags.reduce((total, { messages }) => total + messages, 0);
  const longest = ({ lags }: LagReport) => Math.max(...lags.map(({ seconds }) => seconds));
  const measuredAs = (meter: LagMeter, what: string, holds: (report: LagReport) => boolean): Promise<LagReport> =>
    until(what, async () => {
      const report = await measured(meter);
      return holds(report) && report;
    });

  it('tells how far a group without consumers is behind, in messages and in seconds, until it has caught up', async () => {
    const meter = meterOf(GROUP);
    const replica = await bench.start({ [GROUP]: handler });
    await send(20);
    await measuredAs(meter, 'the group has settled everything', (report) => sum(report) === 0 && longest(report) === 0);
    // The meter knows that the records came after this measurement, and no better.
    const caughtUpAt = Date.now();
    await measured(meter);
    await replica.stop();
    const sendingAt = Date.now();
    await send(30);
    const sentAt = Date.now();
    const first = await measured(meter);
    expect(sum(first)).toBe(30);
    const later = await measuredAs(meter, 'the lag is two seconds old', (report) => longest(report) > 2);
    expect(sum(later)).toBe(30);
    expect(longest(later)).toBeLessThanOrEqual((Date.now() - caughtUpAt) / 1000);
    // A meter that was not there when the lag began asks the broker.
    const askedAt = Date.now();
    const newcomer = await measured(meterOf(GROUP));
    const answeredAt = Date.now();
    expect(sum(newcomer)).toBe(30);
    // Wrong by five seconds at most, beside what sending and asking took.
    expect(longest(newcomer)).toBeGreaterThanOrEqual((askedAt - sentAt) / 1000 - 5);
    expect(longest(newcomer)).toBeLessThanOrEqual((answeredAt - sendingAt) / 1000 + 5);
    await bench.start({ [GROUP]: handler });
    await measuredAs(meter, 'the group has caught up', (report) => sum(report) === 0 && longest(report) === 0);
  });

  it('counts from the beginning of the log for a group that never committed', async () => {
    const before = sum(await measured(meterOf('test.never')));
    await send(7);
    expect(sum(await measured(meterOf('test.never')))).toBe(before + 7);
  });

  it('dates a lag that is older than itself by asking the broker', async () => {
    const topics = new TestTopics(bench.topics.brokers.join(','));
    await topics.create([]);
    const producer = topics.kafka.producer();
    await producer.connect();
    const ages = [7200, 5400, 3600, 60, 1];
    const now = Date.now();
    await producer.send({
      topic: topics.prefix + TOPIC,
      messages: ages.map((seconds) => ({ value: 'x', partition: 0, timestamp: String(now - seconds * 1000) })),
    });
    await producer.disconnect();
    const groups = ages.map((seconds, offset) => ({ name: `test.at-${offset}`, seconds, offset }));
    const admin = topics.kafka.admin();
    await admin.connect();
    await Promise.all(
      groups.map(({ name, offset }) =>
        admin.setOffsets({
          groupId: topics.prefix + name,
          topic: topics.prefix + TOPIC,
          partitions: [{ partition: 0, offset: String(offset) }],
        }),
      ),
    );
    const meter = new LagMeter({
      brokers: topics.brokers,
      logger,
      topicPrefix: topics.prefix,
      groups: groups.map(({ name }) => ({ name, topics: [TOPIC] })),
    });
    meters.push(meter);
    // One measurement asks a few questions; the next knows what they brought. Each is compared with the moments between which it was made.
    await until('each lag is dated', async () => {
      const askedAt = Date.now();
      const { lags } = await measured(meter);
      const answeredAt = Date.now();
      return groups.every(({ name, seconds, offset }) => {
        const lag = lags.find(({ group, partition }) => group === name && partition === 0);
        const [least, most] = [askedAt, answeredAt].map((at) => (at - now) / 1000 + seconds) as [number, number];
        const [found, error] = [lag?.seconds ?? 0, Math.max(5, most * 0.12)];
        return lag?.messages === ages.length - offset && found >= least - error && found <= most + error;
      });
    });
    await admin.disconnect();
    await topics.close();
  });

  it('shows its measurements as metrics, with the health of the brokers, and nothing when no broker answers', async () => {
    const metrics = new Metrics({ lookWithinMs: 10_000 });
    showLag(metrics, meterOf('test.never'));
    await send(1);
    const text = await metrics.text();
    expect(text).toMatch(
      /^kafka_group_lag_messages\{group="test\.never",topic="payment\.commands\.v1",partition="\d+"\} [1-9]/m,
    );
    expect(text).toMatch(
      /^kafka_group_lag_seconds\{group="test\.never",topic="payment\.commands\.v1",partition="\d+"\} \d/m,
    );
    expect(text).toMatch(/^kafka_brokers 1$/m);
    expect(text).toMatch(/^kafka_partitions_under_replicated 0$/m);
    expect(text).toMatch(/^kafka_partitions_offline 0$/m);
    const alone = new Metrics({ lookWithinMs: 10_000 });
    const lost = new LagMeter({ brokers: ['127.0.0.1:1'], logger, groups: [{ name: GROUP, topics: [TOPIC] }] });
    meters.push(lost);
    showLag(alone, lost);
    expect(await alone.text()).not.toMatch(/^kafka_/m);
  });
});
