import { connect } from 'node:net';

// The broker is asked in Kafka's own protocol, on a fresh connection each time: a client library would bring its own
// retries, timers and log lines into the question "are you there yet?".
const REQUEST_TIMEOUT_MS = 1_000;

const FIND_COORDINATOR = 10;
const INIT_PRODUCER_ID = 22;
const METADATA = 3;

/** How many brokers the node at this port knows to be in service. Rejects while it does not answer. */
export async function brokersSeenBy(port: number): Promise<number> {
  const withoutTopics = Buffer.alloc(5);
  const answer = await request(port, METADATA, 4, withoutTopics);
  return answer.readInt32BE(4);
}

/**
 * Asks for what the first client would have to wait for otherwise (the topics of offsets and of transactions, a block of
 * producer ids) and tells whether all of it is there by now.
 */
export async function isWarm(port: number): Promise<boolean> {
  const key = Buffer.from('\0\x07warm-up', 'latin1');
  const answers = await Promise.all([
    request(port, FIND_COORDINATOR, 1, Buffer.concat([key, Buffer.from([0])])), // of a consumer group
    request(port, FIND_COORDINATOR, 1, Buffer.concat([key, Buffer.from([1])])), // of a transaction
    request(port, INIT_PRODUCER_ID, 0, Buffer.from([255, 255, 0, 0, 234, 96])), // no transaction, 60 s
  ]);
  return answers.every((answer) => answer.readInt16BE(4) === 0);
}

function request(port: number, apiKey: number, version: number, body: Buffer): Promise<Buffer> {
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(version, 6);
  head.writeInt16BE(-1, 12); // no client id
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([head, body])));
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy(new Error(`No answer on port ${port}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`Connection to port ${port} closed`)));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return;
      resolve(answer.subarray(8)); // without length and correlation id
      socket.destroy();
    });
  });
}
