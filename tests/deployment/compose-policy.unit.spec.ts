import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type ComposeFile, type ComposeService, parseCompose } from './compose-file.ts';
import { composeFindings, composeRules, portsWantedTwice, publishedPorts } from './compose-policy.ts';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The file with one service changed. */
function planted(name: string, change: Readonly<Record<string, unknown>>): ComposeFile {
  const file = parseCompose(text);
  const service = file.services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  const changed = Object.fromEntries(
    Object.entries({ ...service, ...change }).filter(([, value]) => value !== undefined),
  );
  return { services: { ...file.services, [name]: changed as ComposeService } };
}

const violations: readonly (readonly [rule: string, service: string, change: Readonly<Record<string, unknown>>])[] = [
  ['an image is pinned, or built here under a tag that can be set', 'postgres', { image: 'postgres:latest' }],
  ['an image is pinned, or built here under a tag that can be set', 'postgres', { image: 'postgres' }],
  ['an image is pinned, or built here under a tag that can be set', 'postgres', { image: 'postgres:18' }],
  ['an image is pinned, or built here under a tag that can be set', 'jaeger', { image: 'jaegertracing/jaeger:stable' }],
  ['an image is pinned, or built here under a tag that can be set', 'order', { image: 'millrace/order' }],
  ['an image is built by one service, which always runs', 'tour', { build: '.' }],
  ['an image is built by one service, which always runs', 'kafka', { profiles: ['cluster'] }],
  ['an image that is not built here runs as a user who is not root', 'mailpit', { user: undefined }],
  ['an image that is not built here runs as a user who is not root', 'mailpit', { user: 'root' }],
  ['an image that is built here decides by itself who it runs as', 'order', { user: '0' }],
  ['memory is limited', 'order', { mem_limit: undefined }],
  ['the number of processes is limited', 'order', { pids_limit: undefined }],
  ['the number of processes is limited', 'order', { pids_limit: -1 }],
  ['all capabilities are dropped and none is added', 'order', { cap_drop: ['NET_RAW'] }],
  ['all capabilities are dropped and none is added', 'postgres', { cap_add: ['CHOWN'] }],
  ['no program can gain privileges', 'order', { security_opt: undefined }],
  ['the root file system is read-only', 'kafka', { read_only: false }],
  ['an init process passes signals on and reaps', 'order', { init: undefined }],
  ['nothing of the host is shared', 'prometheus', { privileged: true }],
  ['nothing of the host is shared', 'prometheus', { network_mode: 'host' }],
  ['nothing of the host is shared', 'prometheus', { pid: 'host' }],
  ['nothing of the host is shared', 'prometheus', { volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro'] }],
  [
    'files of the repository are mounted read-only',
    'jaeger',
    { volumes: ['./infra/jaeger/config.yaml:/etc/jaeger/config.yaml'] },
  ],
  ['logs are limited', 'order', { logging: { driver: 'local', options: { 'max-size': '10m' } } }],
  ['what runs on is restarted, and what ends by itself is not', 'order', { restart: undefined }],
  ['what runs on has a health check that is quick at the start', 'otel-collector', { healthcheck: undefined }],
  [
    'what runs on has a health check that is quick at the start',
    'order',
    { healthcheck: { test: ['CMD', 'healthy'] } },
  ],
  ['what runs on has a health check that is quick at the start', 'order', { healthcheck: { disable: true } }],
  [
    'dependencies have a condition that fits: healthy if it runs on, completed if it ends',
    'order',
    { depends_on: ['databases', 'topics'] },
  ],
  [
    'dependencies have a condition that fits: healthy if it runs on, completed if it ends',
    'order',
    { depends_on: { databases: { condition: 'service_started' } } },
  ],
  [
    'dependencies have a condition that fits: healthy if it runs on, completed if it ends',
    'load',
    { depends_on: { gateway: { condition: 'service_started' } } },
  ],
  [
    'dependencies have a condition that fits: healthy if it runs on, completed if it ends',
    'load',
    { depends_on: { nobody: { condition: 'service_healthy' } } },
  ],
  [
    'a service of a profile is never required by one that always runs',
    'auditor',
    { depends_on: { tour: { condition: 'service_completed_successfully' } } },
  ],
  ['ports are published on 127.0.0.1 and can be changed', 'jaeger', { ports: ['${JAEGER_PORT:-16686}:16686'] }],
  ['ports are published on 127.0.0.1 and can be changed', 'jaeger', { ports: ['0.0.0.0:${JAEGER_PORT:-16686}:16686'] }],
  ['ports are published on 127.0.0.1 and can be changed', 'jaeger', { ports: ['127.0.0.1:16686:16686'] }],
  ['ports are published on 127.0.0.1 and can be changed', 'jaeger', { ports: [{ target: 16686, published: '16686' }] }],
  ['a service that scales publishes no port', 'inventory', { ports: ['127.0.0.1:${INVENTORY_PORT:-8092}:8080'] }],
  ['no container has a fixed name', 'order', { container_name: 'order' }],
  ['nothing sleeps', 'order', { command: ['sh', '-c', 'sleep 10 && node dist/main.js'] }],
  ['nothing sleeps', 'order', { entrypoint: 'sleep 10' }],
  ['a service of ours has time to finish what it began', 'payment', { stop_grace_period: undefined }],
];

describe('the compose file', () => {
  it('keeps every rule', () => {
    expect(composeFindings(parseCompose(text))).toEqual([]);
  });

  it('gives each port of the host to one service', () => {
    expect(portsWantedTwice(parseCompose(text))).toEqual([]);
    expect(portsWantedTwice(planted('jaeger', { ports: ['127.0.0.1:${JAEGER_PORT:-3000}:16686'] }))).toEqual(['3000']);
  });

  it.each(violations)('is refused when it breaks the rule that %s (%s)', (rule, service, change) => {
    expect(composeFindings(planted(service, change))).toContainEqual({ rule, where: service });
  });

  it('is refused when nobody waits for what ends by itself', () => {
    expect(composeFindings(planted('gateway', { depends_on: {} }))).toEqual([
      { rule: 'somebody waits for what ends by itself', where: 'seed' },
    ]);
  });

  it('has a planted violation for each rule', () => {
    const plantedRules = new Set([...violations.map(([rule]) => rule), 'somebody waits for what ends by itself']);
    expect(Object.keys(composeRules).filter((rule) => !plantedRules.has(rule))).toEqual([]);
  });
});

describe('the table of URLs in the README', () => {
  const published = Object.values(parseCompose(text).services).flatMap(publishedPorts);

  /** The ports that no line of the page tells, each with its variable. */
  const untold = (page: string): readonly string[] =>
    published
      .filter(
        ({ port, variable }) =>
          !page.split('\n').some((line) => line.includes(port) && line.includes(`\`${variable}\``)),
      )
      .map(({ variable }) => variable);

  it('names every published port and the variable that changes it', () => {
    expect(untold(readme)).toEqual([]);
  });

  it('is refused when a port changes without it', () => {
    expect(untold(readme.replaceAll('16686', '16687'))).toEqual(['JAEGER_PORT']);
  });
});
