import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { decides, PermanentFailure } from '@millrace/messaging';
import { recordFor, tally, tallyStore, Workbench } from '@millrace/messaging/fixtures';
import { until } from '@millrace/messaging/testing';
import { runCommandLine, type Terminal } from './run.ts';
import type { Surroundings } from './shop.ts';

const GROUP = 'payment.payments';
const MAP = {
  services: ['payment'],
  groups: { 'order.checkout': ['payment.events.v1'], [GROUP]: ['payment.commands.v1'] },
};
const ROOT = join(import.meta.dirname, '..', '..', '..');
const PROGRAM = ['--conditions=@millrace/source', '--import', './tools/ts.mjs', 'infra/shop/src/cli/millrace.ts'];

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the program millrace', () => {
  let bench: Workbench;
  const broken = new Map<string, Error>();

  beforeAll(async () => {
    bench = await Workbench.open([GROUP]);
    await bench.start({
      [GROUP]: decides({
        hears: [CapturePayment],
        store: tallyStore,
        retry: { attempts: 2, firstDelayMs: 1, then: 'hold' },
        decide: (state, message, context) => {
          const failure = broken.get(message.key);
          if (failure !== undefined) throw failure;
          return tally(state, message, context);
        },
      }),
    });
  });
  afterAll(async () => {
    await bench.close();
  });

  const surroundings = (): Record<string, string> => ({
    KAFKA_BROKERS: bench.topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: bench.topics.prefix,
    PAYMENT_DATABASE_URL: bench.storage.url,
  });
  const start = (args: readonly string[], env: Record<string, string> = surroundings()) =>
    spawn(process.execPath, [...PROGRAM, ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], INIT_CWD: tmpdir(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  /** The program as a process of its own. */
  const spawned = async (args: readonly string[], env?: Record<string, string>, input = ''): Promise<Ran> => {
    const child = start(args, env);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => void child.on('close', resolve));
    return { code, stdout, stderr };
  };
  /** The same within this process, where starting it again and again would only take time. */
  const millrace = async (args: readonly string[], different: Partial<Terminal> = {}): Promise<Ran> => {
    let [stdout, stderr] = ['', ''];
    const code = await runCommandLine(args, MAP, () => located(), {
      stdin: { isTTY: false } as NodeJS.ReadStream,
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text), isTTY: true },
      stop: new AbortController().signal,
      ...different,
    });
    return { code, stdout, stderr };
  };
  const answering = (answer: string) =>
    Object.assign(Readable.from([answer]), { isTTY: true }) as unknown as NodeJS.ReadStream;
  const located = (): Surroundings => ({
    brokers: bench.topics.brokers,
    topicPrefix: bench.topics.prefix,
    databases: { payment: bench.storage.url },
    from: 'the test',
  });
  const json = async (args: readonly string[]): Promise<{ code: number | null; document: Record<string, unknown> }> => {
    const { code, stdout, stderr } = await millrace([...args, '--json']);
    expect(stderr).toBe('');
    return { code, document: JSON.parse(stdout) as Record<string, unknown> };
  };
  /** An order of which one message became a dead letter, and that letter's address. */
  const buried = async (): Promise<{ orderId: OrderId; id: string; letter: string }> => {
    const orderId = newId<OrderId>();
    broken.set(orderId, new PermanentFailure('till-closed', 'the till is closed'));
    const record = recordFor(CapturePayment, { orderId });
    await bench.topics.send([record]);
    const [letter] = await bench.letters(GROUP, orderId);
    broken.delete(orderId);
    return { orderId, id: record.id, letter: `${GROUP}/${letter?.partition}/${letter?.offset}` };
  };
  /** What was sent before is read and committed: the group commits twice a second. */
  const untilAllIsCommitted = (): Promise<unknown> =>
    until('what was sent before is read and committed', async () => {
      const { stdout } = await millrace(['lag', '--json', '--group', GROUP]);
      return (JSON.parse(stdout) as { lags: readonly { messages: number }[] }).lags.every(
        ({ messages }) => messages === 0,
      );
    });
  const held = async (): Promise<{ orderId: OrderId; ids: readonly string[] }> => {
    const orderId = newId<OrderId>();
    broken.set(orderId, new Error('the drawer is stuck'));
    const ids = await bench.send(CapturePayment, [{ orderId }, { orderId }]);
    await until('the key is held', async () => {
      const { rows } = await bench.database.query(
        'SELECT FROM messaging.parked_key WHERE consumer_group = $1 AND key = $2 AND held',
        [GROUP, orderId],
      );
      return rows.length === 1;
    });
    broken.delete(orderId);
    return { orderId, ids };
  };

  it('lists, shows and sends back a dead letter, which is applied once; the second time nothing is left to do', async () => {
    const { orderId, id, letter } = await buried();
    const { document: list } = await json(['dlq', 'list', '--key', orderId]);
    expect(list).toMatchObject({
      total: 1,
      letters: [{ letter, type: 'millrace.CapturePayment.v1', key: orderId, state: 'open', cause: 'till-closed' }],
    });
    const { document: shown } = await json(['dlq', 'show', letter]);
    expect(shown).toMatchObject({ messageId: id, body: { orderId }, today: 'message', attempts: 1 });

    const chosen = ['dlq', 'redrive', '--group', GROUP, '--key', orderId];
    expect(await json([...chosen, '--dry-run'])).toMatchObject({
      code: 0,
      document: { dryRun: true, redriven: 0, results: [{ letter, outcome: { kind: 'redriven' } }] },
    });
    expect(await bench.applied(orderId)).toEqual([]);
    const why = ['--reason', 'the till is open', '--by', 'ada', '--yes'];
    expect(await json([...chosen, ...why])).toMatchObject({ code: 0, document: { dryRun: false, redriven: 1 } });
    await bench.untilApplied(orderId, [id]);

    expect(await json(['dlq', 'redrive', letter, ...why])).toMatchObject({
      code: 0,
      document: { redriven: 0, results: [{ outcome: { kind: 'decided-before' } }] },
    });
    expect(await json(['dlq', 'list', '--key', orderId])).toMatchObject({ document: { total: 0 } });
    expect(await json(['dlq', 'list', '--key', orderId, '--all'])).toMatchObject({
      document: { letters: [{ state: 'redriven', decision: { by: 'ada', reason: 'the till is open' } }] },
    });
    expect(await bench.applied(orderId)).toEqual([id]);
  });

  it('refuses a letter that would come late, says after what, and fails', async () => {
    const { orderId, letter } = await buried();
    const [newer] = await bench.send(CapturePayment, [{ orderId }]);
    await bench.untilApplied(orderId, [String(newer)]);
    const redrive = ['dlq', 'redrive', letter, '--reason', 'why not', '--yes'];
    const refused = await millrace(redrive);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/refused: payment\.payments has settled or queued newer messages[^]*CapturePayment/);
    expect(refused.stdout).toContain('0 dead letters sent back, 1 refused.');
    expect(await json([...redrive, '--late-is-fine'])).toMatchObject({ code: 0, document: { redriven: 1 } });
  });

  it('sends a letter back with another body, and lays another aside', async () => {
    const orderId = newId<OrderId>();
    const record = { ...recordFor(CapturePayment, { orderId }), value: '{}' };
    await bench.topics.send([record]);
    const [found] = await bench.letters(GROUP, orderId);
    const letter = `${GROUP}/${found?.partition}/${found?.offset}`;
    const edit = ['dlq', 'redrive', letter, '--reason', 'id added', '--yes', '--body', '-'];
    expect(await spawned(edit, surroundings(), '{"orderId": 1}')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('would fail again at once'),
    });
    expect(await spawned(edit, surroundings(), JSON.stringify({ orderId }))).toMatchObject({ code: 0 });
    await bench.untilApplied(orderId, [record.id]);

    const other = await buried();
    const discard = ['dlq', 'discard', other.letter, '--reason', 'a test', '--yes'];
    expect(await json(discard)).toMatchObject({ code: 0, document: { discarded: 1 } });
    expect(await json(discard)).toMatchObject({ code: 0, document: { discarded: 0 } });
    const late = await millrace(['dlq', 'redrive', other.letter, '--reason', 'after all', '--yes']);
    expect(late).toMatchObject({ code: 1, stdout: expect.stringContaining('was discarded before') });
  });

  it('shows a parked key, tries it again, and skips what cannot be helped', async () => {
    const one = await held();
    const { document: list } = await json(['parked', 'list', '--group', GROUP, '--held', '--key', one.orderId]);
    expect(list).toMatchObject({
      parked: [
        { group: GROUP, key: one.orderId, messages: 2, attempts: 2, isHeld: true, error: 'Error: the drawer is stuck' },
      ],
    });
    const why = ['--reason', 'oiled', '--by', 'ada', '--yes'];
    expect(await json(['parked', 'retry', GROUP, one.orderId, ...why])).toMatchObject({ code: 0 });
    await bench.untilApplied(one.orderId, one.ids);

    const other = await held();
    expect(await json(['parked', 'skip', GROUP, other.orderId, ...why])).toMatchObject({
      code: 0,
      document: { outcome: 'skipped', messageId: other.ids[0] },
    });
    await bench.letters(GROUP, other.orderId);
    await bench.untilApplied(other.orderId, [String(other.ids[1])]);
    const { rows } = await bench.database.query(
      'SELECT decision, decided_by, reason, message_id FROM messaging.parked_decision ORDER BY seq',
    );
    expect(rows).toEqual([
      { decision: 'retried', decided_by: 'ada', reason: 'oiled', message_id: one.ids[0] },
      { decision: 'skipped', decided_by: 'ada', reason: 'oiled', message_id: other.ids[0] },
    ]);
    expect(await millrace(['parked', 'show', GROUP, other.orderId])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has not parked'),
    });
  });

  it('shows topics and lag', async () => {
    await untilAllIsCommitted();
    const { document } = await json(['topics', 'payment.commands.v1']);
    expect(document).toMatchObject({
      topics: [{ topic: 'payment.commands.v1', readers: [{ group: GROUP, state: 'Stable' }] }],
    });
    const { code, stdout } = await millrace(['topics']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/payment\.commands\.v1 +6 +\d+ +payment\.payments +1 +0 +0s/);
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  it('gives a topic more partitions, and says why it gives another one none', async () => {
    const grow = ['topics', 'grow', 'payment.commands.v1', '--partitions'];
    expect(await millrace([...grow, '9', '--yes'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('payment.commands.v1 has 9 partitions instead of 6.'),
    });
    expect(await millrace([...grow, '9', '--yes'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has 9 partitions: say more than that'),
    });
    await bench.send(CapturePayment, [{ orderId: newId<OrderId>() }]);
    await until('something is said', async () => (await bench.topics.read('payment.events.v1')).length > 0);
    expect(await millrace(['topics', 'grow', 'payment.events.v1', '--partitions', '9', '--yes'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Nobody works off what order.checkout'),
    });
  });

  it('watches lag as a series of documents until Ctrl-C, which it calls by its name', async () => {
    await untilAllIsCommitted();
    const child = start(['lag', '--watch', '--every', '1', '--json', '--group', GROUP]);
    const lines: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
    const closed = new Promise<number | null>((resolve) => void child.on('close', resolve));
    await until('two looks are told', () => lines.length >= 2, { timeoutMs: 40_000 });
    child.kill('SIGINT');
    expect(await closed).toBe(130);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ lags: [{ group: GROUP, topic: 'payment.commands.v1', messages: 0 }] });
    }
  });

  it('finds the shop that works in a folder', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-shop-'));
    try {
      const brokers = bench.topics.brokers;
      writeFileSync(join(dir, 'shop.json'), JSON.stringify({ pid: process.pid, brokers, databases: {}, urls: {} }));
      expect(await spawned(['topics', '--shop', dir], {})).toMatchObject({ code: 0, stderr: '' });
      rmSync(join(dir, 'shop.json'));
      const { code, stderr } = await spawned(['topics', '--shop', dir], {});
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('No shop runs in') });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown command', ['dlq', 'lits'], /unknown command 'lits'[^]*list[^]*--help/],
    [
      'an unknown group',
      ['dlq', 'list', '--group', 'order.chekout'],
      /There is no consumer group order\.chekout\. There are:[^]*order\.checkout/,
    ],
    ['an option that is none', ['dlq', 'list', '--limit', 'all'], /Expected a whole number/],
    ['a redrive without letters', ['dlq', 'redrive', '--reason', 'x'], /Which letters\?[^]*--all/],
    ['a redrive without a reason', ['dlq', 'redrive', '--all'], /Why\? --reason/],
    ['an address that is none', ['dlq', 'show', 'order.checkout'], /Expected <group>\/<partition>\/<offset>/],
  ])('calls %s a wrong question, and says what to ask', async (_what, args, expected) => {
    const { code, stdout, stderr } = await millrace(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
  });

  it('changes nothing where nobody can be asked and nobody said yes', async () => {
    const { letter } = await buried();
    const { code, stderr } = await millrace(['dlq', 'discard', letter, '--reason', 'x']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
    expect(await json(['dlq', 'list'])).toMatchObject({
      document: { letters: expect.arrayContaining([expect.objectContaining({ letter })]) },
    });
  });

  it('asks a person first, and does nothing unless the answer is yes', async () => {
    const { letter } = await buried();
    const discard = ['dlq', 'discard', letter, '--reason', 'x'];
    for (const answer of ['n\n', '\n', '']) {
      const { code, stdout, stderr } = await millrace(discard, { stdin: answering(answer) });
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: 'Lay 1 dead letter aside? [y/N] ' });
    }
    expect(await millrace(discard, { stdin: answering('y\n') })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 dead letter laid aside.'),
    });
  });

  it('sends back no more letters a second than were allowed, and none after it was stopped', async () => {
    const orderId = newId<OrderId>();
    broken.set(orderId, new PermanentFailure('till-closed', 'the till is closed'));
    const ids = await bench.send(CapturePayment, [{ orderId }, { orderId }, { orderId }]);
    await bench.letters(GROUP, orderId, 3);
    broken.delete(orderId);
    const redrive = ['dlq', 'redrive', '--group', GROUP, '--key', orderId, '--reason', 'open', '--yes', '--rate'];
    const stopping = new AbortController();
    const stopAtFirst = { write: () => stopping.abort() };
    await millrace([...redrive, '1/m'], { stdout: stopAtFirst, stop: stopping.signal });
    const decided = async (): Promise<readonly number[]> => {
      const { rows } = await bench.database.query<{ at: Date }>(
        'SELECT decided_at AS at FROM messaging.dead_letter_decision WHERE message_id = ANY($1) ORDER BY 1',
        [ids],
      );
      return rows.map(({ at }) => at.getTime());
    };
    expect(await decided()).toHaveLength(1);
    expect(await json([...redrive, '2/s'])).toMatchObject({ code: 0, document: { redriven: 2 } });
    const [, second = 0, third = 0] = await decided();
    expect(third - second).toBeGreaterThanOrEqual(480);
    await bench.untilApplied(orderId, ids);
    expect(await bench.applied(orderId)).toEqual(ids);
  });

  it('says so when nothing is there, and when Kafka is away', async () => {
    const why = ['--reason', 'x', '--yes'];
    expect(await millrace(['dlq', 'redrive', '--group', GROUP, '--key', 'nobody', ...why])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('No open dead letter matches.'),
    });
    expect(await millrace(['dlq', 'show', `${GROUP}/0/999999`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no dead letter'),
    });
    const away = await spawned(['dlq', 'list', '--json'], { ...surroundings(), KAFKA_BROKERS: '127.0.0.1:1' });
    expect(away).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/Kafka does not answer[^]*Is the shop running/),
    });
  });
});
