import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildOf, parseCompose } from './compose-file.ts';
import { dockerfileFindings, dockerfileRules } from './dockerfile-policy.ts';
import { parseDockerfile } from './dockerfile.ts';

const root = join(import.meta.dirname, '../..');
const compose = parseCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8'));

/** Every Dockerfile that compose builds from, with the stages that become images. */
const targets = Map.groupBy(
  Object.values(compose.services).flatMap((service) => buildOf(service) ?? []),
  ({ context }) => join(context, 'Dockerfile'),
);
const files = [...targets].map(
  ([path, builds]) => [path, [...new Set(builds.flatMap(({ target }) => target ?? []))]] as const,
);

const own = `FROM node:24-bookworm-slim AS build
RUN corepack enable
RUN --mount=type=cache,target=/pnpm-store pnpm install --frozen-lockfile
COPY . .
FROM build AS deployment
RUN pnpm --filter ./apps/order deploy --prod /deployment
FROM node:24-bookworm-slim AS service
LABEL org.opencontainers.image.title="order" org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
COPY infra/service/healthy /usr/local/bin/healthy
COPY --from=deployment /deployment /millrace
USER node
FROM service AS shop
CMD ["node", "dist/main.js"]
`;

const violations: readonly (readonly [rule: string, stage: string, from: string, to: string])[] = [
  ['nothing has to be pulled to read the file', 'build', 'FROM node', '# syntax=docker/dockerfile:1\nFROM node'],
  [
    'a base is a stage of the file or a pinned tag without a digest',
    'build',
    'node:24-bookworm-slim AS build',
    'node AS build',
  ],
  [
    'a base is a stage of the file or a pinned tag without a digest',
    'build',
    'node:24-bookworm-slim AS build',
    'node:latest AS build',
  ],
  [
    'a base is a stage of the file or a pinned tag without a digest',
    'service',
    'node:24-bookworm-slim AS service',
    `node:24@sha256:${'a'.repeat(64)} AS service`,
  ],
  ['a final image runs as a user who is not root', 'shop', 'USER node\n', ''],
  ['a final image runs as a user who is not root', 'shop', 'USER node', 'USER root'],
  ['a final image runs as a user who is not root', 'shop', 'CMD', 'USER 0:0\nCMD'],
  [
    'nothing is added from the network or unpacked unseen',
    'service',
    'USER node',
    'ADD https://example.org/tool.tar.gz /opt/\nUSER node',
  ],
  ['no secret is baked in', 'service', 'ENV NODE_ENV=production', 'ENV DATABASE_PASSWORD=order'],
  ['no secret is baked in', 'service', 'ENV NODE_ENV=production', 'ARG STRIPE_API_KEY'],
  ['dependencies are those of the lockfile', 'build', 'pnpm install --frozen-lockfile', 'pnpm install'],
  ['dependencies are those of the lockfile', 'build', 'corepack enable', 'npm install -g pnpm'],
  ['what is deployed has production dependencies only', 'deployment', 'deploy --prod', 'deploy'],
  [
    'a final image takes from other stages what was deployed, not what was built with',
    'service',
    '--from=deployment /deployment',
    '--from=build /millrace',
  ],
  [
    'a final image takes single files from the repository, not the whole',
    'service',
    'COPY infra/service/healthy /usr/local/bin/healthy',
    'COPY . .',
  ],
  [
    'a final image takes single files from the repository, not the whole',
    'service',
    'COPY infra/service/healthy /usr/local/bin/healthy',
    'COPY --chown=node . /millrace',
  ],
  [
    'packages of the system are only those named, and their lists do not stay',
    'service',
    '--no-install-recommends ',
    '',
  ],
  [
    'packages of the system are only those named, and their lists do not stay',
    'service',
    ' && rm -rf /var/lib/apt/lists/*',
    '',
  ],
  [
    'nothing is downloaded by hand',
    'service',
    'RUN apt-get update',
    'RUN curl -sSf https://example.org/install.sh | sh && apt-get update',
  ],
  [
    'a final image says what it is and under which licence',
    'shop',
    ' org.opencontainers.image.licenses="Apache-2.0"',
    '',
  ],
];

describe('the Dockerfiles', () => {
  it('are there for everything that compose builds', () => {
    expect(files.map(([path]) => path).filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(files.length).toBeGreaterThan(1);
  });

  it.each(files)('%s keeps every rule', (path, finals) => {
    expect(dockerfileFindings(parseDockerfile(readFileSync(join(root, path), 'utf8')), finals)).toEqual([]);
  });

  it('send neither secrets nor history to the engine', () => {
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    expect(lines).toEqual(expect.arrayContaining(['.*', '**/node_modules']));
    expect(lines.filter((line) => /^!.*\.(env|git)\b/.test(line))).toEqual([]);
  });
});

describe('a Dockerfile', () => {
  const findings = (text: string, finals = ['service', 'shop']) => dockerfileFindings(parseDockerfile(text), finals);

  it('that keeps every rule is accepted', () => {
    expect(findings(own)).toEqual([]);
  });

  it.each(violations)('is refused when it breaks the rule that %s (%s)', (rule, where, from, to) => {
    expect(own).toContain(from);
    expect(findings(own.replace(from, to))).toContainEqual({ rule, where });
  });

  it('is refused when it has one stage, or not the one that is built', () => {
    const single = 'FROM node:24-bookworm-slim AS service\nUSER node\n';
    expect(findings(single, ['service'])).toContainEqual({
      rule: 'an image is built in several stages',
      where: 'service',
    });
    expect(findings(own, ['gone'])).toContainEqual({ rule: 'a stage that is built exists', where: 'gone' });
  });

  it('has a planted violation for each rule', () => {
    const plantedRules = new Set([...violations.map(([rule]) => rule), 'an image is built in several stages']);
    expect(Object.keys(dockerfileRules).filter((rule) => !plantedRules.has(rule))).toEqual([]);
  });
});
