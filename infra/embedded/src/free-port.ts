import { randomInt } from 'node:crypto';
import { createServer, connect } from 'node:net';

// Below the range that Linux and macOS take outgoing connections from (32768 and up): a client that reconnects during an
// outage could otherwise be given the very port it calls, talk to itself and keep the server from coming back.
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_000;
const EPHEMERAL_PORTS_FROM = 32_768;

// Whoever asks binds its port seconds later. Processes that ask at the same time take theirs from different blocks (process ids that are
// a multiple of the number of blocks apart are rare), and a process does not hand a port out again before it has been through its block.
const BLOCK_SIZE = 120;
const BLOCKS = (HIGHEST_PORT - LOWEST_PORT) / BLOCK_SIZE;
const block = LOWEST_PORT + (process.pid % BLOCKS) * BLOCK_SIZE;
let next = randomInt(BLOCK_SIZE);

/** A port of 127.0.0.1 on which nobody listens at this moment. Nothing holds it: retry with another one if the bind fails. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < BLOCK_SIZE; attempt++) {
    const port = block + next;
    next = (next + 1) % BLOCK_SIZE;
    if (await canListenOn(port)) return port;
  }
  throw new Error(`No free port was found between ${block} and ${block + BLOCK_SIZE}.`);
}

/** The first of `count` ports in a row on which nobody listens at this moment. `freePort` gives none of them to anybody else. */
export async function freePortsInARow(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = randomInt(HIGHEST_PORT, EPHEMERAL_PORTS_FROM - count + 1);
    const row = Array.from({ length: count }, (_, index) => canListenOn(first + index));
    if ((await Promise.all(row)).every(Boolean)) return first;
  }
  throw new Error(`No ${count} free ports in a row were found between ${HIGHEST_PORT} and ${EPHEMERAL_PORTS_FROM}.`);
}

/** Whether somebody accepts connections on this port of 127.0.0.1. */
export function isPortInUse(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function canListenOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
