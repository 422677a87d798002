import { LagMeter, showLag } from '@millrace/messaging/kafka';
import { createLogger, Health, Metrics } from '@millrace/observability';
import { auditOnce } from '../audit/audit-once.ts';
import { Auditor } from '../audit/auditor.ts';
import { keepAuditing } from '../audit/keep-auditing.ts';
import { serve } from '../audit/serve.ts';
import { describeVariables, readNumber, readVariables } from '../command/environment.ts';
import { recordsOf, recordVariables } from '../command/records.ts';
import { runCommand } from '../command/run-command.ts';
import { topicsHeard } from '../services.ts';
import { Screen } from '../show/screen.ts';
import { showReport } from '../show/show-books.ts';

const help = `Judges the books of a shop that is open: orders that ended a minute ago, stock, and that everything goes on.

Usage: audit [options]

  --once            judge once, print how each rule stands, exit 0 if all hold, else 1
  --every SECONDS   between two looks (30)
  --settled SECONDS an order is judged when it ended so long ago (60)
  --window MINUTES  how far back it looks when it starts, and when it judges an order for the second time (15)

${describeVariables(recordVariables)}
  AUDIT_PORT (optional)  the port of /metrics and /health/ready (9464); AUDIT_HOST: its address (127.0.0.1)
  LOG_LEVEL (optional)   of its log lines (info)

A finding counts when two looks in a row have it. It is said once in the log, and stays in the metrics until it is right.
`;

// Prometheus asks every five seconds and gives up after as long.
const LAG_WITHIN_MS = 3_000;

const groups = Object.entries(topicsHeard).map(([name, topics]) => ({ name, topics }));

await runCommand({
  help,
  options: {
    once: { type: 'boolean' },
    every: { type: 'string' },
    settled: { type: 'string' },
    window: { type: 'string' },
  },
  async run({ values }, stop) {
    const records = recordsOf(readVariables(process.env, recordVariables));
    const everyMs = readNumber('--every', String(values['every'] ?? 30), 1, 3_600) * 1000;
    const windowMs = readNumber('--window', String(values['window'] ?? 15), 1, 24 * 60) * 60_000;
    const settledMs = readNumber('--settled', String(values['settled'] ?? 60), 0, 3_600) * 1000;
    const options = { windowMs, settledMs };
    if (values['once'] === true) {
      const report = await auditOnce(records, { ...options, lookAgainAfterMs: 10_000, stop });
      return showReport(report, Screen.ofThisProcess()) === 0 ? 0 : 1;
    }
    const port = readNumber('AUDIT_PORT', process.env['AUDIT_PORT'] || '9464', 0, 65_535);
    const logger = createLogger({ service: 'auditor', level: process.env['LOG_LEVEL'] || 'info' });
    const metrics = new Metrics({ lookWithinMs: LAG_WITHIN_MS });
    const lagMeter = new LagMeter({ brokers: records.brokers, logger, groups });
    showLag(metrics, lagMeter);
    const health = new Health();
    const server = await serve({ host: process.env['AUDIT_HOST'] || '127.0.0.1', port }, metrics, health);
    logger.info({ address: server.address() }, 'the auditor looks at the books');
    await keepAuditing({ auditor: new Auditor(records, options), everyMs, metrics, health, logger, stop });
    server.closeAllConnections();
    server.close();
    await lagMeter.close();
    return 0;
  },
  endsItself: true,
});
