import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CapturePayment } from '@millrace/contracts';
import { statement } from '@millrace/database';
import { underLoad } from '../fixtures/index.ts';
import { HeldShadow } from '../fixtures/held-shadow.ts';
import { readModel, ReadModelBench } from '../fixtures/read-model.ts';
import { decides } from '../handlers/handler.ts';
import { keyedStore } from '../handlers/state-store.ts';
import { until } from '../testing/until.ts';
import { differencesOf } from './comparison.ts';
import {
  cancelReplay,
  compareReplay,
  pauseReplay,
  ReplayRefused,
  ReplayUnderWay,
  resumeReplay,
  startReplay,
  swapReplay,
} from './replay-requests.ts';
import type { ReplayStatus } from './replay-status.ts';

// A killed replica is missed for six seconds, and each test has a topic anew.
jest.setTimeout(120_000);

const GROUP = 'test.read-model';
const DECIDING = 'test.deciding';
const SHADOW = 'replay_test_read-model';
const asked = { projection: GROUP, askedBy: 'test' };

describe('a replay', () => {
  let bench: ReadModelBench;
  let held: HeldShadow;

  beforeAll(async () => {
    bench = await ReadModelBench.open(GROUP, [DECIDING]);
  });
  beforeEach(() => {
    held = new HeldShadow();
  });
  afterEach(async () => {
    held.letGo();
    await bench.reset();
  });
  afterAll(async () => {
    await bench.close();
  });

  it('rebuilds the read model as it is, and the rebuilt tables take the place of the live ones', async () => {
    await bench.start();
    await bench.sendTwice(40, 5);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, asked);
    const { comparison, losses } = await bench.compared();
    expect(differencesOf(comparison)).toBe(0);
    expect(comparison.tables.map(({ table, live, shadow }) => [table, live, shadow])).toEqual([
      ['heard', 40, 40],
      ['sum', 1, 1],
    ]);
    expect(losses).toEqual([]);
    const [model, identities] = [await bench.readModel(), await bench.identities()];
    expect(await bench.swapped()).toMatchObject({ state: 'swapped', applied: 200, leftOut: 0 });
    expect((await bench.status())?.duplicates).toBeGreaterThan(150);
    expect(await bench.identities()).not.toEqual(identities);
    expect(await bench.readModel()).toEqual(model);
    expect(await bench.schemas()).toEqual([`${SHADOW}_before`]);
    await bench.sendTwice(10, 2);
    await bench.untilLiveIsComplete();
  });

  it('finds damage in the live read model, tells a few rows of it, and heals it by the swap', async () => {
    await bench.start();
    const orders = await bench.sendTwice(60, 3);
    await bench.untilLiveIsComplete();
    const sound = await bench.readModel();
    const [gone, wrong, ...others] = orders.toSorted();
    await bench.database.query('DELETE FROM heard WHERE order_id = $1', [gone]);
    await bench.database.query('UPDATE heard SET count = count + 7 WHERE order_id = $1', [wrong]);
    await bench.database.query(`UPDATE heard SET ids = '["${'x'.repeat(5000)}"]' WHERE order_id = ANY($1)`, [
      others.slice(0, 20),
    ]);
    await bench.database.query(`INSERT INTO sum VALUES ('nobody said this', 1)`);
    await startReplay(bench.database, asked);
    const { comparison } = await bench.compared();
    expect(comparison.tables).toMatchObject([
      { table: 'heard', live: 59, shadow: 60, onlyLive: 0, onlyShadow: 1, different: 21 },
      { table: 'sum', live: 2, shadow: 1, onlyLive: 1, onlyShadow: 0, different: 0 },
    ]);
    const [heard] = comparison.tables;
    expect(heard?.examples).toHaveLength(5);
    expect(heard?.examples[0]).toMatchObject({ live: null, shadow: expect.stringContaining(String(gone)) });
    expect(heard?.examples[1]).toMatchObject({
      live: expect.stringContaining('"count": 10'),
      shadow: expect.stringContaining('"count": 3'),
    });
    expect(JSON.stringify(comparison).length).toBeLessThan(10_000);
    await bench.swapped();
    expect(await bench.readModel()).toEqual(sound);
    expect(await bench.heard()).toBe(180);
  });

  it('leaves the live projection serving and moving on several replicas, through replay and swap: nothing lost, nothing twice', async () => {
    await Promise.all([bench.start(), bench.start()]);
    await bench.sendTwice(100, 10);
    await bench.untilLiveIsComplete();
    const read = statement('test.read-during-swap', 'SELECT times FROM sum');
    let [reads, seen] = [0, 0];
    const keepReading = async (): Promise<void> => {
      for (const query of [read(), 'SELECT times FROM public.sum']) {
        const { rows } = await bench.database.query<{ times: string }>(query);
        const times = Number(rows[0]?.times);
        if (!(times >= seen)) throw new Error(`${times} messages after ${seen}`);
        [reads, seen] = [reads + 1, times];
      }
    };
    const placeAndRead = async (): Promise<void> => {
      const before = await bench.heard();
      await bench.sendTwice(20, 3);
      await until('the live projection has them', async () => {
        await keepReading();
        return seen >= before + 60;
      });
    };
    await underLoad(placeAndRead, async () => {
      for (let round = 0; round < 3; round++) {
        await startReplay(bench.database, asked);
        const { comparison } = await bench.compared();
        expect(differencesOf(comparison)).toBe(0);
        const before = seen;
        expect((await bench.swapped()).state).toBe('swapped');
        await until('the live projection goes on', () => seen > before);
      }
    });
    expect(reads).toBeGreaterThan(20);
    await bench.untilLiveIsComplete();
  });

  it('goes on from where it was when its replica is killed', async () => {
    await bench.sendTwice(200, 10);
    const args = [bench.url, bench.topics.brokers.join(','), bench.topics.prefix, GROUP];
    const root = fileURLToPath(new URL('../../../../', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        '--conditions=@millrace/source',
        '--import',
        './tools/ts.mjs',
        'libs/messaging/src/fixtures/read-model-replica.ts',
        ...args,
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      await bench.untilLiveIsComplete();
      await startReplay(bench.database, asked);
      const { applied, total } = await untilInTheMiddle();
      expect(applied).toBeLessThan(2000);
      expect(total).toBeGreaterThan(3900);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await bench.start();
      const { comparison } = await bench.compared();
      expect(differencesOf(comparison)).toBe(0);
      const { applied: appliedInAll = 0, duplicates = 0 } = (await bench.status()) ?? {};
      expect(appliedInAll).toBe(2000);
      // The log has each record twice; what was read before is not read again.
      expect(duplicates).toBeLessThanOrEqual(2000);
      await bench.swapped();
      await bench.expectedModel();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('stops at once when another replica has taken it over, and changes the shadow no more', async () => {
    await bench.start(readModel(held.fold));
    await bench.sendTwice(300, 10);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, asked);
    await untilInTheMiddle();
    const shadowed = async (): Promise<unknown> =>
      (await bench.database.query(`SELECT times FROM "${SHADOW}".sum`)).rows;
    // A replica that was taken for dead: it hears of it with its next batch, or with its next breath. The other one works on it for
    // longer than the test lasts.
    const taken = await bench.database.transaction(async (tx) => {
      await tx.query(
        `UPDATE messaging.replay SET leased_by = 'another', leased_until = clock_timestamp() + interval '1 hour'`,
      );
      return shadowed();
    });
    held.letGo();
    await until('its reader has left', async () => (await foreignGroups()).length === 0);
    expect(await shadowed()).toEqual(taken);
    expect((await bench.status())?.state).toBe('reading');
    await bench.database.query(`UPDATE messaging.replay SET leased_until = '-infinity'`);
    expect(differencesOf((await bench.compared()).comparison)).toBe(0);
  });

  it('rests when it is told to, also over a restart of the service, goes on when it is told to, and leaves nothing when cancelled', async () => {
    const replica = await bench.start(readModel(held.fold));
    await bench.sendTwice(300, 10);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, asked);
    await untilInTheMiddle();
    await pauseReplay(bench.database, GROUP);
    await untilLeaseIsRenewed();
    held.letGo();
    const paused = await bench.untilState('paused');
    expect(paused.isHeld).toBe(false);
    expect(paused.passed).toBeLessThan(6000);
    await replica.stop();
    await bench.start();
    expect(await bench.status()).toMatchObject({ state: 'paused', passed: paused.passed });
    await resumeReplay(bench.database, GROUP);
    await bench.untilState('caught-up');
    expect(await bench.schemas()).toEqual([SHADOW]);
    await cancelReplay(bench.database, GROUP);
    await bench.untilState('cancelled');
    expect(await bench.schemas()).toEqual([]);
    await bench.expectedModel();
    await until('no consumer group of it is left', async () => (await foreignGroups()).length === 0);
    await expect(swapReplay(bench.database, GROUP)).rejects.toThrow(ReplayRefused);
  });

  it('is refused a second time while it is under way, and may be cancelled while no replica of the service runs', async () => {
    await bench.start();
    await bench.stopReplicas();
    await startReplay(bench.database, asked);
    await expect(startReplay(bench.database, asked)).rejects.toThrow(ReplayUnderWay);
    const both = await Promise.allSettled([cancelReplay(bench.database, GROUP), cancelReplay(bench.database, GROUP)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await bench.status()).toMatchObject({ state: 'cancelled' });
    const starts = await Promise.allSettled([1, 2, 3].map(() => startReplay(bench.database, asked)));
    expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is refused for a handler that decides, for one nobody knows, and for one without tables, also by the service itself', async () => {
    let decisions = 0;
    const deciding = decides({
      hears: [CapturePayment],
      store: keyedStore<object, never>({ load: () => Promise.resolve(new Map()), save: () => Promise.resolve() }),
      decide: (state) => {
        decisions += 1;
        return { state, messages: [] };
      },
    });
    await bench.start({ ...readModel(), tables: [] } as never, { [DECIDING]: deciding });
    await bench.sendTwice(1, 1);
    await until('it is decided about', () => decisions === 1);
    const refusal = (projection: string): Promise<unknown> =>
      startReplay(bench.database, { projection, askedBy: 'test' }).then(
        () => 'started',
        (error: unknown) => (error instanceof ReplayRefused ? error.message : error),
      );
    const isDecider = 'is a decide handler, not a projection';
    await until('the service has told what its handlers are', async () =>
      String(await refusal(DECIDING)).includes(isDecider),
    );
    expect(await refusal('test.nobody')).toMatch(/is not known.*test\.read-model/);
    expect(await refusal(GROUP)).toMatch(/does not name its tables/);
    await bench.database.query(
      `INSERT INTO messaging.replay (projection, replay_id, asked_by) VALUES ($1, gen_random_uuid(), 'somebody')`,
      [DECIDING],
    );
    const status = await until('the service refuses', async () => {
      const { rows } = await bench.database.query<{ state: string; problem: string }>(
        `SELECT state, problem FROM messaging.replay WHERE projection = $1 AND ended_at IS NOT NULL`,
        [DECIDING],
      );
      return rows[0];
    });
    expect(status).toMatchObject({ state: 'failed', problem: expect.stringContaining('decide handler') });
    expect(decisions).toBe(1);
    await expect(compareReplay(bench.database, GROUP)).rejects.toThrow('has never been replayed');
  });

  function untilInTheMiddle(): Promise<ReplayStatus> {
    return until('it is in the middle', async () => {
      const status = await bench.status();
      return status !== undefined && status.applied > 0 && status.state === 'reading' && status;
    });
  }

  /** With each renewal of its lease a replica hears what is wished. */
  async function untilLeaseIsRenewed(): Promise<void> {
    const lease = async (): Promise<string | undefined> =>
      (await bench.database.query<{ until: string }>('SELECT leased_until::text AS until FROM messaging.replay'))
        .rows[0]?.until;
    // Twice: it asks for the next renewal when it has the answer to the one before.
    for (let renewal = 1; renewal <= 2; renewal++) {
      const before = await lease();
      await until(`the replica has renewed its lease, ${renewal} of 2`, async () => (await lease()) !== before);
    }
  }

  /** Groups of this test's topics besides the projections' own. */
  async function foreignGroups(): Promise<readonly string[]> {
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    try {
      const { groups } = await admin.listGroups();
      return groups.map(({ groupId }) => groupId).filter((id) => id.includes(`${bench.topics.prefix}${GROUP}.replay`));
    } finally {
      await admin.disconnect();
    }
  }
});
