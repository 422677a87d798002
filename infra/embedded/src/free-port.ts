import { randomInt } from 'node:crypto';
import { createServer, connect } from 'node:net';

// Below the range that Linux and macOS take outgoing connections from (32768 and up): a client that reconnects during an
// outage could otherwise be given the very port it calls, talk to itself and keep the server from coming back.
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_000;
const EPHEMERAL_PORTS_FROM = 32_768;

/** A port of 127.0.0.1 on which nobody listens at this moment. Nothing holds it: retry with another one if the bind fails. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (await canListenOn(port)) return port;
  }
  throw new Error(`No free port was found between ${LOWEST_PORT} and ${HIGHEST_PORT}.`);
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
