import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, startChild, type Child } from './child.ts';
import { stateFolder, withLock } from './data-folder.ts';

/** Where the model of the broker's configuration and the list of its jars are kept. */
export const kafkaSettingsFolder = join(import.meta.dirname, '..', '..', 'kafka');

// Fixed, because the nodes of one cluster must agree on it and a kept data folder must be recognised.
const CLUSTER_ID = 'bWlsbHJhY2Uta2Fma2EtMQ';

// Measured: C1 and the serial collector use half of the CPU and memory of the defaults, and lose no throughput here.
const JVM_OPTIONS = [
  '-Xmx192m',
  '-Xms32m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  '-Dlog4j2.statusLoggerLevel=OFF',
];

// The JMX exporter agent, as pom.xml names its jar, and what it shows.
const AGENT_JAR = 'jmx_prometheus_javaagent.jar';
const AGENT_RULES = 'jmx-exporter.yaml';

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** Apache Kafka on the disk, ready to be run by the system's Java. */
export interface KafkaProgram {
  /** Starts one node; it is not ready yet. `isTraining` tells that it writes the class archive when it is stopped by SIGTERM. */
  run(
    propertiesFile: string,
    logFile: string,
    options: {
      readonly mayTrain: boolean;
      /** Where the JMX exporter agent serves the broker's metrics; without it there is no agent. */
      readonly metricsPort?: number | undefined;
    },
  ): Promise<{ child: Child; isTraining: boolean }>;
  /** Writes what a node needs to find in its log folder before its first start; leaves a folder that has it alone. */
  format(propertiesFile: string, logFolder: string, nodeId: number): Promise<void>;
}

/** Finds Java and the jars; asks Maven for the jars when they are missing. Rejects with what to install. */
export async function findKafka(log: (line: string) => void): Promise<KafkaProgram> {
  const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java';
  const [javaVersion, folder] = await Promise.all([requireJava(java), findJars(log)]);
  // In a fixed order and as relative paths, or the class archive would not match after a move of the repository.
  const classPath = readdirSync(join(folder, 'jars'))
    .toSorted()
    .map((jar) => join('jars', jar))
    .join(delimiter);
  const archive = join(folder, `classes-${javaVersion}.jsa`);

  const run: KafkaProgram['run'] = async (propertiesFile, logFile, { mayTrain, metricsPort }) => {
    // The archive is for all: what the agent loads does not belong into it.
    const isTraining = mayTrain && metricsPort === undefined && !existsSync(archive);
    const draft = `${archive}.${process.pid}-${createHash('sha256').update(propertiesFile).digest('hex').slice(0, 8)}`;
    const classData = isTraining ? [`-XX:ArchiveClassesAtExit=${draft}`, '-Xlog:disable'] : shareClasses();
    const agent =
      metricsPort === undefined
        ? []
        : [`-javaagent:${join('agent', AGENT_JAR)}=127.0.0.1:${metricsPort}:${join(kafkaSettingsFolder, AGENT_RULES)}`];
    const args = [...JVM_OPTIONS, ...classData, ...agent, '-cp', classPath, 'kafka.Kafka', propertiesFile];
    const child = await startChild(java, args, { cwd: folder, env: process.env, logFile });
    if (isTraining) {
      void child.exited.then(({ signal }) => {
        if (signal === null && existsSync(draft)) renameSync(draft, archive);
        else rmSync(draft, { force: true });
      });
    }
    return { child, isTraining };
  };

  function shareClasses(): string[] {
    return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
  }

  // What StorageTool writes is the same for every node but meta.properties: it runs once, and is copied from then on
  // (1 ms instead of 300 to 700).
  async function format(propertiesFile: string, logFolder: string, nodeId: number): Promise<void> {
    const meta = join(logFolder, 'meta.properties');
    if (existsSync(meta)) return;
    const model = join(folder, 'formatted');
    if (!existsSync(model)) {
      const logFile = `${propertiesFile}.format.log`;
      const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', propertiesFile];
      const args = [...JVM_OPTIONS, ...shareClasses(), '-cp', classPath, ...tool];
      const child = await startChild(java, args, { cwd: folder, env: process.env, logFile });
      if ((await child.exited).code !== 0)
        throw new Error(`Kafka's log folder cannot be formatted:\n${child.lastLines()}`);
      publish(logFolder, model);
      rmSync(logFolder, { recursive: true });
      rmSync(logFile);
    }
    cpSync(model, logFolder, { recursive: true });
    writeFileSync(meta, `version=1\ncluster.id=${CLUSTER_ID}\nnode.id=${nodeId}\n`); // Kafka adds its directory.id itself
  }

  return { run, format };
}

/** Copies a folder to a place where it is seen whole or not at all; the first of several processes wins. */
function publish(source: string, target: string): void {
  const draft = `${target}.${process.pid}`;
  cpSync(source, draft, { recursive: true });
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(target)) throw error;
  }
}

async function requireJava(java: string): Promise<string> {
  const wanted =
    'Apache Kafka needs Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk)';
  const output = await capture(java, ['-version']).catch(() => {
    throw new Error(`${wanted}. No program "${java}" was found.`);
  });
  const version = /version "([^"]+)"/.exec(output)?.[1];
  if (version === undefined) throw new Error(`${wanted}. "${java} -version" said:\n${output}`);
  if (Number.parseInt(version, 10) < 17) throw new Error(`${wanted}. "${java}" is version ${version}.`);
  return version;
}

/** The folder that holds the jars named by pom.xml; another pom.xml gets another folder. */
async function findJars(log: (line: string) => void): Promise<string> {
  const pom = join(kafkaSettingsFolder, 'pom.xml');
  const cache = join(stateFolder, 'kafka');
  const folder = join(cache, createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12));
  if (existsSync(folder)) return folder;
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    log('downloading Apache Kafka (29 MB of jars, once)');
    const draft = `${folder}.draft`;
    rmSync(draft, { recursive: true, force: true }); // of a download that was broken off
    mkdirSync(draft);
    await downloadJars(pom, draft, join(cache, 'download.log'));
    renameSync(draft, folder);
  });
  return folder;
}

/** Puts the broker's jars into `jars` and the agent's into `agent`. */
async function downloadJars(pom: string, folder: string, logFile: string): Promise<void> {
  const jars = join(folder, 'jars');
  const agent = join(folder, 'agent');
  const goals = ['dependency:copy-dependencies', 'dependency:copy-dependencies@agent'];
  const args = ['-B', '-q', '-ntp', '-f', pom, ...goals, `-DoutputDirectory=${jars}`, `-DagentDirectory=${agent}`];
  const maven = await startChild('mvn', args, { cwd: kafkaSettingsFolder, env: process.env, logFile }).catch(() => {
    throw new Error(
      'Apache Maven downloads Apache Kafka, once, but no program "mvn" was found (Debian, Ubuntu: apt-get install maven; macOS: brew install maven).',
    );
  });
  const tooLate = setTimeout(() => maven.kill('SIGKILL'), DOWNLOAD_TIMEOUT_MS);
  const { code } = await maven.exited;
  clearTimeout(tooLate);
  if (code !== 0 || !existsSync(jars) || !existsSync(join(agent, AGENT_JAR))) {
    throw new Error(
      `Maven could not download Apache Kafka (is the network there?). The end of ${logFile}:\n${maven.lastLines()}`,
    );
  }
}
