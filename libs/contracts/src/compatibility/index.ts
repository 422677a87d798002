export { compare, type Direction, fieldsOf, type Finding, selfCheck } from './gate.ts';
export { type JsonSchema, readSchema, writtenSchema } from './json-schema.ts';
export { type MessageSnapshot, type Release, type Snapshot, snapshotOf, type Support } from './snapshot.ts';
