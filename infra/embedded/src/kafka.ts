import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, Exit } from './child.ts';
import { endLeftoverServer, noteServer } from './data-folder.ts';
import { freePort, isPortInUse } from './free-port.ts';
import { brokersSeenBy, isWarm } from './kafka-protocol.ts';
import { findKafka, kafkaSettingsFolder, type KafkaProgram } from './kafka-program.ts';

export interface KafkaOptions {
  /** Brokers in the cluster; each is broker and controller at once. 1 unless told. */
  readonly nodes?: number;
  /** The data folder: created when missing, kept when stopped, used by one cluster at a time. */
  readonly dir: string;
  /** The first node's port, the others follow; 0 (unless told) takes free ones. */
  readonly port?: number;
  /** Deletes the data folder first. */
  readonly fresh?: boolean;
  readonly timeoutMs?: number;
  /** How many replicas Kafka's own topics get when they are made; as many as there are nodes, at most 3, unless told. */
  readonly internalReplicas?: number;
  /** Runs every node with the JMX exporter agent, see `KafkaNode.metricsUrl`. */
  readonly metrics?: boolean;
  /** Hears of a node that ended although nobody asked it to. */
  readonly onExit?: (nodeId: number, exit: Exit, lastLines: string) => void;
  /** Hears what takes its time. */
  readonly log?: (line: string) => void;
}

export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  readonly pid: number;
  /** Where the node's own metrics are read, in Prometheus' text format; undefined unless asked for. */
  readonly metricsUrl: string | undefined;
  /** Ends this node, by SIGTERM unless told, and resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts a killed node again on its port and its data; resolves when it is ready and sees all running nodes. */
  start(): Promise<void>;
}

export interface KafkaCluster {
  /** The addresses for clients, in the order of the nodes. */
  readonly brokers: string[];
  readonly nodes: KafkaNode[];
  /** Ends all nodes; may be called twice. The data stays. */
  stop(): Promise<void>;
}

interface Member {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly metricsPort: number | undefined;
  readonly folder: string;
  readonly properties: string;
  child: Child | undefined;
  isTraining: boolean;
  /** Between ready and asked to end: an end in this time is news. */
  isInService: boolean;
}

// A node that writes the class archive as it stops needs seconds for it. Of several nodes the last one waits 5 s for a
// quorum that is gone; there is nothing in that wait worth having.
const STOP_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_IN_CLUSTER_MS = 2_000;
const ATTEMPTS_WITH_FREE_PORTS = 3;

/**
 * Starts a real Apache Kafka (KRaft) on 127.0.0.1 and resolves when every node answers, knows all others and has what the
 * first client needs. Topics are never created by accident. The nodes end with this process, however it ends; the caller
 * stops them in good order with `stop`. Rejects, with nothing left running, when Java, Maven or a port is missing, when
 * the folder is in use, or when a node dies (with its last log lines).
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  const { nodes = 1, port = 0, fresh = false, log = () => {} } = options;
  const dir = resolve(options.dir);
  const folders = Array.from({ length: nodes }, (_, index) => join(dir, `node-${index + 1}`));
  for (const folder of folders) await endLeftoverServer(join(folder, 'pid'), join(folder, 'server.properties'));
  const program = await findKafka(log);
  if (fresh) rmSync(dir, { recursive: true, force: true });
  for (let attempt = 1; ; attempt++) {
    const members: Member[] = [];
    for (const [index, folder] of folders.entries()) {
      members.push({
        id: index + 1,
        port: port === 0 ? await freePort() : await requireFreePort(port + index),
        controllerPort: await freePort(),
        metricsPort: options.metrics === true ? await freePort() : undefined,
        folder,
        properties: join(folder, 'server.properties'),
        child: undefined,
        isTraining: false,
        isInService: false,
      });
    }
    try {
      return await startCluster(program, members, options);
    } catch (error) {
      // Between the choice of a free port and its use another program was faster.
      const isPortLost = error instanceof Error && /BindException|Address already in use/.test(error.message);
      if (!isPortLost || port !== 0 || attempt === ATTEMPTS_WITH_FREE_PORTS) throw error;
    }
  }
}

async function requireFreePort(port: number): Promise<number> {
  if (await isPortInUse(port))
    throw new Error(`Port ${port}, wanted for Kafka, is in use. Stop its user or choose another.`);
  return port;
}

async function startCluster(program: KafkaProgram, members: Member[], options: KafkaOptions): Promise<KafkaCluster> {
  const { timeoutMs = 60_000, internalReplicas = Math.min(3, members.length), onExit } = options;
  const isRunning = (member: Member) => member.child?.isRunning() ?? false;

  async function launch(member: Member): Promise<void> {
    const logFile = join(member.folder, 'server.log');
    const { child, isTraining } = await program.run(member.properties, logFile, {
      mayTrain: member.id === 1,
      metricsPort: member.metricsPort,
    });
    Object.assign(member, { child, isTraining });
    noteServer(join(member.folder, 'pid'), child.pid);
    void child.exited.then((exit) => {
      if (member.isInService) onExit?.(member.id, exit, child.lastLines());
    });
  }

  async function ready(member: Member): Promise<void> {
    for (const end = Date.now() + timeoutMs; ; await sleep(20)) {
      const running = members.filter(isRunning);
      if (!running.includes(member)) {
        throw new Error(`Kafka node ${member.id} died at its start. Its last words:\n${member.child?.lastLines()}`);
      }
      const brokers = await brokersSeenBy(member.port).catch(() => 0);
      // Another program may answer on this port while the node is dying of it, so the node must be alive still.
      if (brokers >= running.length && (await isWarm(member.port).catch(() => false)) && isRunning(member)) {
        member.isInService = true;
        return;
      }
      if (Date.now() > end) {
        throw new Error(
          `Kafka node ${member.id} is not ready after ${timeoutMs} ms. Its log ends:\n${member.child?.lastLines()}`,
        );
      }
    }
  }

  async function kill(member: Member, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    member.isInService = false;
    const isPatient = members.length === 1 || member.isTraining;
    await member.child?.stop(signal, isPatient ? STOP_TIMEOUT_MS : STOP_TIMEOUT_IN_CLUSTER_MS);
  }

  async function start(member: Member): Promise<void> {
    if (isRunning(member)) throw new Error(`Kafka node ${member.id} is running already.`);
    await launch(member);
    await ready(member);
  }

  const stop = async () => {
    await Promise.all(members.map((member) => kill(member)));
  };
  try {
    for (const member of members) {
      writeProperties(member, members, internalReplicas);
      await program.format(member.properties, join(member.folder, 'log'), member.id);
    }
    for (const member of members) await launch(member);
    await Promise.all(members.map(ready));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    brokers: members.map((member) => `127.0.0.1:${member.port}`),
    nodes: members.map((member) => ({
      id: member.id,
      port: member.port,
      get pid() {
        return member.child?.pid ?? 0;
      },
      metricsUrl: member.metricsPort === undefined ? undefined : `http://127.0.0.1:${member.metricsPort}/metrics`,
      kill: (signal) => kill(member, signal),
      start: () => start(member),
    })),
    stop,
  };
}

function writeProperties(member: Member, members: readonly Member[], internalReplicas: number): void {
  const values: Record<string, string | number> = {
    ID: member.id,
    PORT: member.port,
    CPORT: member.controllerPort,
    VOTERS: members.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    DIR: join(member.folder, 'log'),
    RF: internalReplicas,
    ISR: internalReplicas >= 3 ? 2 : 1,
  };
  const template = readFileSync(join(kafkaSettingsFolder, 'server.properties'), 'utf8');
  mkdirSync(member.folder, { recursive: true });
  writeFileSync(
    member.properties,
    template.replace(/@([A-Z]+)@/g, (name, key: string) => String(values[key] ?? name)),
  );
}
