import { buildOf, type ComposeFile, type ComposeService, endsByItself, textsIn } from './compose-file.ts';
import type { Finding } from './finding.ts';

type Check = (service: ComposeService, name: string, file: ComposeFile) => boolean;

const LOOPBACK_PORT = /^127\.0\.0\.1:\$\{[A-Z][A-Z0-9_]*:-\d+\}:\d+$/;
const PINNED_TAG = /^[^:@]+(:\d+\/[^:@]+)?:v?\d+\.\d+[\w.-]*$/;
const OWN_IMAGE = /^millrace\/[a-z-]+:\$\{MILLRACE_TAG:-[\w.-]+\}$/;
const ROOT = new Set([undefined, '', '0', 'root', '0:0', 'root:root']);

const folderOf = (service: ComposeService): string => buildOf(service)?.args?.['FOLDER'] ?? '';

/** The services that build the image of this one. */
const buildersOf = ({ image }: ComposeService, { services }: ComposeFile): readonly ComposeService[] =>
  Object.values(services).filter((other) => other.build !== undefined && other.image === image);

const dependenciesOf = ({ depends_on: on = {} }: ComposeService) => Object.entries(on as Record<string, unknown>);

/** Each says whether a service keeps it. The title names what must be, and is what a finding carries. */
export const composeRules: Readonly<Record<string, Check>> = {
  'an image is pinned, or built here under a tag that can be set': (service, _name, file) =>
    (buildersOf(service, file).length === 0 ? PINNED_TAG : OWN_IMAGE).test(service.image ?? ''),

  'an image is built by one service, which always runs': (service, _name, file) => {
    const builders = buildersOf(service, file);
    return (
      builders.length === 0 || (builders.length === 1 && builders.every(({ profiles = [] }) => profiles.length === 0))
    );
  },

  'an image that is not built here runs as a user who is not root': (service, _name, file) =>
    buildersOf(service, file).length > 0 || !ROOT.has(service.user),

  'an image that is built here decides by itself who it runs as': (service, _name, file) =>
    buildersOf(service, file).length === 0 || service.user === undefined,

  'memory is limited': ({ mem_limit: limit }) => /^\d+[mg]$/.test(limit ?? ''),

  'the number of processes is limited': ({ pids_limit: limit = 0 }) => limit > 0,

  'all capabilities are dropped and none is added': ({ cap_drop: drop = [], cap_add: add = [] }) =>
    drop.includes('ALL') && add.length === 0,

  'no program can gain privileges': ({ security_opt: options = [] }) => options.includes('no-new-privileges:true'),

  'the root file system is read-only': ({ read_only: readOnly }) => readOnly === true,

  'an init process passes signals on and reaps': ({ init }) => init === true,

  'nothing of the host is shared': ({ privileged, network_mode: network, pid, volumes = [] }) =>
    privileged !== true &&
    network === undefined &&
    pid === undefined &&
    !textsIn(volumes).some((text) => text.includes('docker.sock')),

  'files of the repository are mounted read-only': ({ volumes = [] }) =>
    volumes.every((volume) => typeof volume === 'string' && (!/^[./~]/.test(volume) || volume.endsWith(':ro'))),

  'logs are limited': ({ logging }) =>
    logging?.options?.['max-size'] !== undefined && logging.options['max-file'] !== undefined,

  'what runs on is restarted, and what ends by itself is not': ({ restart }) =>
    restart === 'unless-stopped' || restart === 'no',

  'what runs on has a health check that is quick at the start': (service) =>
    endsByItself(service) ||
    isOnDemand(service) ||
    (Array.isArray(service.healthcheck?.test) &&
      service.healthcheck.disable !== true &&
      service.healthcheck.start_interval !== undefined),

  'dependencies have a condition that fits: healthy if it runs on, completed if it ends': (
    service,
    _name,
    { services },
  ) =>
    !Array.isArray(service.depends_on) &&
    dependenciesOf(service).every(([name, dependency]) => {
      const target = services[name];
      const { condition } = dependency as { readonly condition?: string };
      if (target === undefined) return false;
      return condition === (endsByItself(target) ? 'service_completed_successfully' : 'service_healthy');
    }),

  'a service of a profile is never required by one that always runs': (service, _name, { services }) =>
    isOnDemand(service) ||
    dependenciesOf(service).every(([name, dependency]) => {
      const { required } = dependency as { readonly required?: boolean };
      return required === false || !isOnDemand(services[name] ?? {});
    }),

  'somebody waits for what ends by itself': (service, name, { services }) =>
    !endsByItself(service) ||
    isOnDemand(service) ||
    Object.values(services).some((other) => dependenciesOf(other).some(([on]) => on === name)),

  'ports are published on 127.0.0.1 and can be changed': ({ ports = [] }) =>
    ports.every((port) => typeof port === 'string' && LOOPBACK_PORT.test(port)),

  'a service that scales publishes no port': (service) =>
    !folderOf(service).startsWith('apps/') || (service.ports ?? []).length === 0,

  'no container has a fixed name': ({ container_name: name }) => name === undefined,

  'nothing sleeps': ({ command, entrypoint, healthcheck }) =>
    !textsIn([command, entrypoint, healthcheck?.test]).some((text) => /\bsleep\b/.test(text)),

  'a service of ours has time to finish what it began': (service) =>
    folderOf(service) === '' || Number.parseInt(service.stop_grace_period ?? '10', 10) >= 20,
};

const isOnDemand = ({ profiles = [] }: ComposeService): boolean => profiles.length > 0 && !profiles.includes('cluster');

/** What a compose file breaks, by rule and service. */
export function composeFindings(file: ComposeFile): readonly Finding[] {
  return Object.entries(composeRules).flatMap(([rule, holds]) =>
    Object.entries(file.services)
      .filter(([name, service]) => !holds(service, name, file))
      .map(([where]) => ({ rule, where })),
  );
}

/** Ports of the host that two services want when nothing is set. */
export function portsWantedTwice({ services }: ComposeFile): readonly string[] {
  const wanted = Object.values(services).flatMap((service) => publishedPorts(service).map(({ port }) => port));
  return wanted.filter((port, index) => wanted.indexOf(port) !== index);
}

export interface PublishedPort {
  readonly variable: string;
  /** What it is when nothing is set. */
  readonly port: string;
}

export function publishedPorts({ ports = [] }: ComposeService): readonly PublishedPort[] {
  return ports.flatMap((port) => {
    const [, variable, number] = /\$\{([A-Z0-9_]+):-(\d+)\}/.exec(String(port)) ?? [];
    return variable === undefined || number === undefined ? [] : [{ variable, port: number }];
  });
}
