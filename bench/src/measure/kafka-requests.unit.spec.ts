import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { KafkaRequestCounter } from './kafka-requests.ts';

// Sends one request of each kind that it is given, to the port it is given.
const CLIENT = `
const [port, ...kinds] = process.argv.slice(1).map(Number);
const socket = require('node:net').connect(port, '127.0.0.1', () => {
  for (const kind of kinds) {
    const request = Buffer.alloc(14);
    request.writeInt32BE(10, 0);
    request.writeInt16BE(kind, 4);
    socket.write(request);
  }
  setTimeout(() => socket.destroy(), 600);
});`;

it('counts what a process sends to its brokers by kind, and nothing that it sends elsewhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-requests-'));
  const servers = [createServer(), createServer()];
  for (const server of servers) {
    server.on('connection', (socket) => socket.resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const [broker = 0, other = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  try {
    const counter = new KafkaRequestCounter(folder);
    const env = { PATH: process.env['PATH'], KAFKA_BROKERS: `127.0.0.1:${broker}`, ...counter.environment };
    const run = (...args: number[]) =>
      promisify(execFile)(process.execPath, ['-e', CLIENT, ...args.map(String)], { env });
    await Promise.all([run(broker, 0, 0, 1, 12), run(broker, 1), run(other, 0)]);
    expect(counter.counted()).toEqual({ Produce: 2, Fetch: 2, Heartbeat: 1 });
  } finally {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  }
});
