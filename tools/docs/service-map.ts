import { globSync } from 'node:fs';
import { join } from 'node:path';
import { PATTERN_METADATA } from '../../libs/messaging/src/handlers/handles.decorator.ts';
import type { AnyContract } from '../../libs/contracts/src/index.ts';
import type { Handler } from '../../libs/messaging/src/index.ts';

/** A consumer group of a service, as its code describes it. */
export interface Group {
  readonly service: string;
  readonly name: string;
  readonly kind: Handler['kind'];
  readonly hears: readonly AnyContract[];
}

// Handlers only describe when they are called; whatever they were given is never looked into.
const anything: unknown = new Proxy(function nothing() {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => 0 : anything),
  apply: () => anything,
});

/** Every method marked with `@Handles` in the services' handler classes, sorted by name. */
export async function consumerGroups(root: string): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const file of globSync('apps/*/src/**/*.handler.ts', { cwd: root })) {
    const service = file.split('/')[1] ?? '';
    const module = (await import(join(root, file))) as Record<string, unknown>;
    for (const exported of Object.values(module)) {
      if (typeof exported === 'function')
        groups.push(...groupsOf(service, exported as new (...args: unknown[]) => object));
    }
  }
  return groups.toSorted((a, b) => a.name.localeCompare(b.name));
}

function groupsOf(service: string, handlerClass: new (...args: unknown[]) => object): Group[] {
  const described = Object.getOwnPropertyNames(handlerClass.prototype).flatMap((method) => {
    const describe = (handlerClass.prototype as Record<string, unknown>)[method];
    const patterns =
      typeof describe === 'function'
        ? (Reflect.getMetadata(PATTERN_METADATA, describe) as string[] | undefined)
        : undefined;
    return patterns === undefined ? [] : patterns.map((name) => ({ name, describe: describe as () => Handler }));
  });
  if (described.length === 0) return [];
  const instance = new handlerClass(...Array.from({ length: handlerClass.length }, () => anything));
  return described.map(({ name, describe }) => {
    const handler = describe.call(instance);
    return { service, name, kind: handler.kind, hears: handler.kind === 'due' ? [] : handler.hears };
  });
}
