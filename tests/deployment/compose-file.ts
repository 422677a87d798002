import { parse } from 'yaml';

export interface Build {
  readonly context: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
}

interface Dependency {
  readonly condition?: string;
  readonly required?: boolean;
}

/** As much of a service as the rules ask about, merge keys resolved, variables not. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: Build | string;
  readonly user?: string;
  readonly profiles?: readonly string[];
  readonly container_name?: string;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly options?: Readonly<Record<string, string>> };
  readonly command?: unknown;
  readonly entrypoint?: unknown;
  readonly healthcheck?: { readonly test?: unknown; readonly disable?: boolean; readonly start_interval?: string };
  readonly environment?: Readonly<Record<string, string | number | boolean | null>>;
  readonly depends_on?: readonly string[] | Readonly<Record<string, Dependency>>;
  readonly ports?: readonly unknown[];
  readonly volumes?: readonly unknown[];
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
}

export function parseCompose(text: string): ComposeFile {
  return parse(text, { merge: true }) as ComposeFile;
}

/** A reference such as `${ORDER_PORT:-8080}`; without a default when there is none. */
export interface Reference {
  readonly name: string;
  readonly fallback: string | undefined;
}

const REFERENCE = /\$\{([A-Za-z_]\w*)(?::?-([^}]*)|[^}]*)?\}|\$([A-Za-z_]\w*)/g;

/** Every variable that a text reads; `$$` is a dollar, not a variable. */
export function referencesIn(text: string): readonly Reference[] {
  return [...text.replaceAll('$$', '').matchAll(REFERENCE)].map(([, name, fallback, bare]) => ({
    name: name ?? bare ?? '',
    fallback,
  }));
}

/** The text as compose makes it when nothing is set. */
export function withDefaults(text: string): string {
  return text.replace(REFERENCE, (_all, _name, fallback: string | undefined) => fallback ?? '');
}

/** All texts in a parsed file, keys and comments left out. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** A service that ends by itself, so that others may wait for its end. */
export const endsByItself = ({ restart }: ComposeService): boolean => restart === 'no';

export const buildOf = ({ build }: ComposeService): Build | undefined =>
  typeof build === 'string' ? { context: build } : build;
