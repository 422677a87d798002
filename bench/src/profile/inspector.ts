import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuProfile } from './cpu-profile.ts';

/** The environment of a Node process that can be profiled: nobody but this machine reaches its inspector, on a port that is free. */
export const inspected: Readonly<Record<string, string>> = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** A connection to the inspector of a process. Whoever opened it closes it. */
export interface Inspector {
  /** From now on the process is asked a thousand times per second what it is doing. */
  startProfile(): Promise<void>;
  stopProfile(): Promise<CpuProfile>;
  close(): void;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const ANSWER_WITHIN_MS = 60_000;
const FOUND_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Opens the inspector of a process that was started as `inspected` and writes into this file. @throws {Error} it does not listen. */
export async function openInspector(logFile: string): Promise<Inspector> {
  const socket = new WebSocket(await addressIn(logFile));
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  const failed = (): void => {
    for (const { reject } of waiting.values()) reject(new Error('the process that was profiled has ended'));
    waiting.clear();
  };
  socket.addEventListener('close', failed);
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Answer;
    const asked = waiting.get(id ?? 0);
    if (asked === undefined) return; // an event
    waiting.delete(id ?? 0);
    if (error === undefined) asked.resolve(result);
    else asked.reject(new Error(error.message));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`nobody answers at ${socket.url}`)));
  });

  let last = 0;
  async function ask(method: string): Promise<unknown> {
    const id = (last += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), ANSWER_WITHIN_MS);
    socket.send(JSON.stringify({ id, method }));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  await ask('Profiler.enable');
  return {
    async startProfile() {
      await ask('Profiler.start');
    },
    async stopProfile() {
      const { profile } = (await ask('Profiler.stop')) as { readonly profile: CpuProfile };
      return profile;
    },
    close: () => socket.close(),
  };
}

/** Node says where its inspector listens before it does anything else; the last one that did is the one that runs. */
async function addressIn(logFile: string): Promise<string> {
  for (const end = performance.now() + FOUND_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    const [address] =
      [...readFileSync(logFile, 'utf8').matchAll(/^Debugger listening on (ws:\S+)$/gm)].at(-1)?.slice(1) ?? [];
    if (address !== undefined) return address;
    if (performance.now() > end) throw new Error(`${logFile} does not tell where the inspector listens.`);
  }
}
