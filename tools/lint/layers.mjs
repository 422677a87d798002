// Who may import whom. Folders decide, never file names: `domain`, `store`, `http` and `handlers` mean the same in every
// capability of every service. Specs, fixtures and the `test` folder of a service may import what they test with.
import { dirname, join, relative, sep } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** What each library may import of the workspace, besides its own files. */
const libraries = {
  contracts: [],
  database: [],
  observability: [],
  messaging: ['contracts', 'database', 'observability'],
  service: ['database', 'messaging', 'observability'],
};

/** What starts, runs and tests services, and is imported by none. */
const tools = ['bench', 'cli', 'embedded', 'shop', 'tests'];

const decisionsMayImport = [
  'zod',
  '@millrace/contracts',
  '@millrace/messaging/decisions',
  '@millrace/messaging/process',
];

const contractsMayImport = ['zod', 'uuid'];

/** `apps/order/src/checkout/store/a.ts` → kind `apps`, name `order`, folders `['src', 'checkout', 'store']`. */
function placeOf(file) {
  const [kind = '', name = '', ...rest] = relative(root, file).split(sep);
  const isTest = /\.(spec|examples|model)\.ts$/.test(file) || rest.includes('fixtures') || rest[0] === 'test';
  return { kind, name, folders: rest.slice(0, -1), file: rest.at(-1) ?? '', isTest };
}

/** A relative import leads to a file, a name of the workspace to a package's export, any other to a package of others. */
function targetOf(specifier, from) {
  if (specifier.startsWith('.')) return { ...placeOf(join(dirname(from), specifier)), specifier, isFile: true };
  const [, name, entry = ''] = /^@millrace\/([^/]+)\/?(.*)$/.exec(specifier) ?? [];
  if (name === undefined) return { kind: 'package', specifier, isFile: false };
  const kind = tools.includes(name) ? 'tool' : name in libraries ? 'libs' : 'apps';
  return { kind, name, entry, folders: [], specifier, isFile: false };
}

const isNodes = ({ specifier }) => specifier.startsWith('node:');

/** Each rule answers why `to` may not be imported by `from`, or nothing. */
const rules = [
  function onlyOneSpeaksKafka(from, to) {
    const isClient = from.kind === 'libs' && from.name === 'messaging' && from.folders[1] === 'kafka';
    if (to.specifier === 'kafkajs' && !isClient)
      return 'Only libs/messaging/src/kafka speaks to Kafka: use the messaging runtime.';
  },

  function servicesKnowMessagesOnly(from, to) {
    if (from.kind === 'apps' && to.kind === 'apps' && to.name !== from.name)
      return 'Services know each other by messages only.';
  },

  function librariesKnowNoService(from, to) {
    if (from.kind === 'libs' && to.kind === 'apps') return 'A library knows no service.';
    if (
      from.kind === 'libs' &&
      to.kind === 'libs' &&
      to.name !== from.name &&
      !libraries[from.name]?.includes(to.name)
    ) {
      return `libs/${from.name} does not build on libs/${to.name}.`;
    }
  },

  function contractsArePlain(from, to) {
    if (from.kind !== 'libs' || from.name !== 'contracts' || from.isTest || to.isFile) return;
    if (!contractsMayImport.includes(to.specifier)) return 'Contracts are plain TypeScript and zod.';
  },

  function processesArePure(from, to) {
    if (from.kind !== 'libs' || from.name !== 'messaging' || from.folders[1] !== 'process' || from.isTest) return;
    const isPure = to.isFile ? ['process', 'handlers'].includes(to.folders[1]) : to.specifier === '@millrace/contracts';
    if (!isPure) return 'A process is pure: it knows no framework, broker or database.';
  },

  function nothingPublishesButTheOutbox(from, to) {
    if (from.kind === 'apps' && to.name === 'messaging' && to.entry === 'kafka') {
      return 'Nothing publishes but the outbox: return messages from a decision.';
    }
  },

  function testingStaysInTests(from, to) {
    if (
      ['apps', 'libs'].includes(from.kind) &&
      !from.isTest &&
      from.folders[1] !== 'testing' &&
      to.entry === 'testing'
    ) {
      return 'What helps tests is imported by tests only.';
    }
  },

  function packagesAreImportedByName(from, to) {
    if (!['apps', 'libs'].includes(from.kind) || !to.isFile) return;
    if (to.kind !== from.kind || to.name !== from.name)
      return 'Another package is imported by its name, not by its path.';
  },

  function decisionsArePure(from, to) {
    if (from.kind !== 'apps' || from.isTest || !from.folders.includes('domain')) return;
    const isPure = to.isFile ? to.folders.includes('domain') : decisionsMayImport.includes(to.specifier);
    if (!isPure) return `A decision imports other domain files, ${decisionsMayImport.join(', ')}, and nothing else.`;
  },

  function storesOnlyRemember(from, to) {
    if (from.kind !== 'apps' || from.isTest || !from.folders.includes('store')) return;
    if (to.isFile && (to.folders.includes('http') || to.folders.includes('handlers')))
      return 'A store knows neither HTTP nor handlers.';
    if (to.entry === 'process' || (to.isFile && to.file.endsWith('.process.ts')))
      return 'A store remembers, it does not decide.';
  },

  function theEnvironmentHasOneReader(from, to) {
    if (['apps', 'libs'].includes(from.kind) && isNodes(to) && to.specifier === 'node:process') {
      return 'The environment is read by config.ts only.';
    }
  },
];

const imports = {
  meta: { type: 'problem', docs: { description: 'who may import whom' }, schema: [] },
  create: (context) => {
    const from = placeOf(context.filename);
    const check = (node, source) => {
      if (typeof source?.value !== 'string') return;
      const to = targetOf(source.value, context.filename);
      for (const rule of rules) {
        const message = rule(from, to);
        if (message !== undefined) context.report({ node, message });
      }
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal),
    };
  },
};

export default { meta: { name: 'layers' }, rules: { imports } };
