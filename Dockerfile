# One file for all images that run on Node: `--build-arg FOLDER=apps/order` builds the order service, target `shop` with
# FOLDER=infra/shop the tools that prepare and watch the shop. docker-compose.yml builds them all.

# Only the manifests: as long as they stay the same, so does the layer with the dependencies.
FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /millrace
COPY . .
RUN find . -type f ! -name package.json ! -name 'pnpm-*.yaml' ! -path './patches/*' -delete \
 && find . -type d -empty -delete

FROM node:24.21.0-bookworm-slim AS build
ENV CI=true COREPACK_ENABLE_DOWNLOAD_PROMPT=0 TURBO_TELEMETRY_DISABLED=1 pnpm_config_store_dir=/pnpm-store
RUN corepack enable
WORKDIR /millrace
COPY --from=manifests /millrace ./
RUN --mount=type=cache,target=/pnpm-store pnpm install --frozen-lockfile
COPY . .
RUN --mount=type=cache,target=/turbo-cache pnpm turbo run build --output-logs=errors-only --cache-dir=/turbo-cache

# A package with its production dependencies, at the place that it has in the repository. Optional peers (the Prisma CLI, TypeScript)
# and what only other databases, other module systems, compilers and readers need stay behind.
FROM build AS deployment
ARG FOLDER
RUN --mount=type=cache,target=/pnpm-store \
    pnpm --filter "./$FOLDER" deploy --prod --no-optional "/deployment/$FOLDER" \
 && cd "/deployment/$FOLDER" \
 && rm -rf pnpm-lock.yaml pnpm-workspace.yaml prisma.config.ts \
 && find node_modules -path '*/@prisma/client/runtime/query_compiler_*' ! -name 'query_compiler_fast_bg.postgresql.*mjs' -delete \
 && find node_modules -type f ! -path '*/@millrace/*' \
      \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' ! -iname 'licen[sc]e*' \) -delete

# The migrations of every service, for the tool that prepares all databases.
FROM build AS migrations
RUN mkdir /migrations && cp -r --parents apps/*/prisma /migrations

FROM node:24.21.0-bookworm-slim AS service
ARG FOLDER
LABEL org.opencontainers.image.title="millrace/$FOLDER" \
      org.opencontainers.image.description="Millrace: event-driven commerce on Kafka that neither loses an order nor does anything twice" \
      org.opencontainers.image.licenses="Apache-2.0"
# Package managers install nothing here any more; what is not there needs no updates.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
# Measured: a service under load stays far below 256 MiB of heap; without a limit V8 lets it grow to what the machine has.
ENV NODE_ENV=production NODE_OPTIONS="--enable-source-maps --max-old-space-size=256 --max-semi-space-size=8"
COPY infra/service/healthy /usr/local/bin/healthy
COPY --from=deployment /deployment /millrace
WORKDIR /millrace/$FOLDER
USER node
CMD ["node", "dist/main.js"]

FROM service AS shop
COPY --from=migrations /migrations /millrace
