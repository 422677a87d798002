import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type Shop } from '@millrace/embedded';
import { TestTopics, until } from '@millrace/messaging/testing';
import { checkBooks, openStage, scenes, waitForEnd, type Check } from '@millrace/shop';
import { Client } from 'pg';
import { ShopCommand } from './command.ts';
import { mailpitOf } from './mailpit.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 300_000;

// The auditor is a process that first has to start, and looks at the books of the whole shop each time.
const PATIENCE = { timeoutMs: 60_000 };

describe('a shop', () => {
  let shop: Shop;
  let checks: Check[] = [];

  beforeAll(async () => {
    // A customer who cancels needs time to do it in, also where processes stand still for seconds.
    shop = await shopUnderTest({ env: { shipping: { CARRIER_DISPATCH_AFTER_MS: '5000' } } });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  it.each(scenes)(
    '$name: $story',
    async (scene) => {
      checks = [];
      const stage = await openStage(shop.urls, {
        heard: () => {},
        told: () => {},
        checked: (check) => checks.push(check),
      });
      await scene.play(stage);
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.filter(({ holds }) => !holds)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'leaves books that balance',
    async () => {
      await waitForEnd(shop);
      const { verdicts, orders } = await checkBooks(shop);
      expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
      expect(orders).toEqual({ completed: 7, cancelled: 49, open: 0 });
    },
    TEST_TIMEOUT_MS,
  );

  describe('that runs elsewhere', () => {
    const running: ShopCommand[] = [];
    let env: Record<string, string>;
    let mailpit: { close(): void };

    const start = (name: ConstructorParameters<typeof ShopCommand>[0], ...args: string[]): ShopCommand => {
      const command = new ShopCommand(name, args, env);
      running.push(command);
      return command;
    };
    const change = async (database: string, sql: string): Promise<unknown[]> => {
      const client = new Client({ connectionString: shop.postgres.url(database) });
      await client.connect();
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };

    beforeAll(async () => {
      const mails = await mailpitOf(shop.mailSink);
      mailpit = mails;
      const server = new URL(shop.postgres.superuserUrl);
      env = {
        ORDER_URL: shop.urls.order,
        INVENTORY_URL: shop.urls.inventory,
        PAYMENT_URL: shop.urls.payment,
        KAFKA_BROKERS: shop.brokers.join(','),
        MAILPIT_URL: mails.url,
        SUPERUSER_DATABASE_URL: server.href,
        AUDITOR_DATABASE_URL: `postgresql://auditor:auditor@${server.host}/postgres`,
        AUDITOR_DATABASE_PASSWORD: 'auditor',
        ...Object.fromEntries(
          Object.keys(shop.databases).map((name) => [`${name.toUpperCase()}_DATABASE_PASSWORD`, name]),
        ),
      };
    });
    afterEach(async () => {
      for (const command of running.splice(0)) {
        command.signal('SIGKILL');
        await command.end();
      }
    });
    afterAll(() => mailpit.close());

    it(
      'is prepared again without any change, and has an auditor who may write nothing',
      async () => {
        const topics = await start('prepare', 'topics').end();
        expect(topics).toEqual({ code: 0, output: 'all topics are ready, with 1 replica\n' });
        expect(await start('prepare', 'databases').end()).toMatchObject({ code: 0 });
        expect(await start('prepare', 'databases').end()).toMatchObject({ code: 0 });
        const auditor = new Client({ connectionString: env['AUDITOR_DATABASE_URL']?.replace(/postgres$/, 'order') });
        await auditor.connect();
        await expect(auditor.query('SELECT FROM orders LIMIT 1')).resolves.toBeDefined();
        await auditor.query('SET default_transaction_read_only = off');
        await expect(auditor.query('DELETE FROM checkouts')).rejects.toThrow('permission denied');
        await auditor.end();
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'is toured while other customers are in it',
      async () => {
        const load = start('load', '--rate', '4', '--seed', '1');
        await load.writes('orders per second');
        const { code, output } = await start('tour').end();
        expect(output).toContain('Other customers keep the shop busy');
        expect(output).toContain('Every check held.');
        expect(code).toBe(0);
        load.signal('SIGTERM');
        const totals = await load.end();
        expect(totals.output).toMatch(/Stopped\. .*placed [1-9].*confirmed [1-9].*refused 0, errors 0/);
        expect(totals.code).toBe(0);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'is audited while it is open: a finding is shown until it is right again',
      async () => {
        env = { ...env, AUDIT_PORT: String(await freePort()) };
        const url = `http://127.0.0.1:${env['AUDIT_PORT']}`;
        const audit = start('audit', '--every', '1', '--settled', '1');
        await until(
          'the books were looked at',
          () =>
            fetch(`${url}/health/ready`).then(
              ({ ok }) => ok,
              () => false,
            ),
          PATIENCE,
        );
        const untilFindings = (rule: string, count: number) =>
          until(
            `books_findings{rule="${rule}"} ${count}`,
            async () =>
              (await (await fetch(`${url}/metrics`)).text()).includes(`books_findings{rule="${rule}"} ${count}\n`),
            PATIENCE,
          );
        await untilFindings('charged-once', 0);
        await untilFindings('stock-adds-up', 0);
        await change('inventory', "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'MUG-BLUE'");
        await untilFindings('stock-adds-up', 1);
        await change('inventory', "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'MUG-BLUE'");
        await untilFindings('stock-adds-up', 0);
        const page = await (await fetch(`${url}/metrics`)).text();
        for (const name of [
          'books_checked_timestamp_seconds',
          'books_orders{status="completed"}',
          'kafka_group_lag_messages{',
          'kafka_brokers 1',
        ]) {
          expect(page).toContain(name);
        }
        audit.signal('SIGTERM');
        const { code, output } = await audit.end();
        expect(output.split('"rule":"stock-adds-up"')).toHaveLength(3);
        expect(output).toMatch(/"msg":"MUG-BLUE: \d+ on the shelf/);
        expect(output).toContain('not so any more: MUG-BLUE');
        expect(code).toBe(0);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'does not pass an audit with a customer who paid twice',
      async () => {
        expect(await start('audit', '--once', '--settled', '1').end()).toMatchObject({ code: 0 });
        const [charge] = await change(
          'payment_provider',
          `INSERT INTO charge (reference, order_id, kind, amount_minor, currency, idempotency_key)
           SELECT 'twice', order_id, kind, amount_minor, currency, 'twice' FROM charge WHERE kind = 'capture' LIMIT 1
           RETURNING order_id`,
        );
        const { code, output } = await start('audit', '--once', '--settled', '1').end();
        expect(output).toContain(`order ${(charge as { order_id: string }).order_id} was captured 2 times`);
        expect(code).toBe(1);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'does not pass an audit when something does not go on',
      async () => {
        await Promise.all(Object.values(shop.services).flatMap((all) => all.map((replica) => replica.stop())));
        const [order] = await change(
          'order',
          `UPDATE checkouts SET status = 'confirmed', stage = 'AwaitingDispatch', ended_at = NULL,
             deadline = now() - interval '2 minutes', wake_at = now() - interval '2 minutes'
           WHERE order_id = (SELECT order_id FROM checkouts WHERE status = 'completed' LIMIT 1) RETURNING order_id`,
        );
        await change(
          'inventory',
          `INSERT INTO messaging.outbox (shard, topic, value, headers, created_at)
           VALUES (0, 'inventory.events.v1', '{}', '{}', now() - interval '2 minutes')`,
        );
        const topics = new TestTopics(shop.brokers.join(','), '');
        await topics.send([{ topic: 'order.checkout.dlq', key: null, value: Buffer.from('{}'), headers: {} }]);
        await topics.close();
        const { code, output } = await start('audit', '--once').end();
        expect(output).toContain(
          `order ${(order as { order_id: string }).order_id} is AwaitingDispatch past its deadline`,
        );
        expect(output).toContain('messages wait in the outbox of inventory for more than a minute');
        expect(output).toContain('order.checkout.dlq got messages');
        expect(code).toBe(1);
      },
      TEST_TIMEOUT_MS,
    );
  });
});
