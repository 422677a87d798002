// Loaded into a service before its own code: counts what it sends to Kafka where it leaves the process. It knows nothing of the client
// library but that it writes a request at once. A request begins with its length (4 bytes) and its kind (2 bytes).
import { renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

const WRITE_EVERY_MS = 250;

const { KAFKA_BROKERS = '', KAFKA_REQUESTS_FOLDER = '.' } = process.env;
const ports = new Set(KAFKA_BROKERS.split(',').map((broker) => Number(broker.split(':').at(-1))));
const file = join(KAFKA_REQUESTS_FOLDER, `${process.pid}.json`);
const counts: Record<number, number> = {};

// eslint-disable-next-line typescript/unbound-method -- it is given its socket below
const write = Socket.prototype.write;
Socket.prototype.write = function counted(this: Socket, ...args: Parameters<typeof write>): boolean {
  const [chunk] = args as unknown[];
  if (ports.has(this.remotePort ?? 0) && Buffer.isBuffer(chunk)) {
    const kind = chunk.readInt16BE(4);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return write.apply(this, args);
} as typeof write;

setInterval(() => {
  // Whoever reads finds it whole.
  writeFileSync(`${file}.new`, JSON.stringify(counts));
  renameSync(`${file}.new`, file);
}, WRITE_EVERY_MS).unref();
