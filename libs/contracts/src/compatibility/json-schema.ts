import { z } from 'zod';
import type { AnyContract } from '../message.ts';

/** A JSON Schema (2020-12) as zod writes it, complete in itself. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a schema makes of the text before its checks look at it, shown on one that has a space at each end. */
export const NORMALIZES = 'x-normalizes';
const PROBE = ' aB ';

/** What stands on the wire when a message is said by this contract. */
export function writtenSchema(contract: AnyContract): JsonSchema {
  return schemaOf(contract, 'output');
}

/** What a reader of this contract accepts. */
export function readSchema(contract: AnyContract): JsonSchema {
  return schemaOf(contract, 'input');
}

/**
 * @throws {Error} the contract has a rule that JSON Schema cannot say, such as a refinement or a transformation: what cannot be
 * seen cannot be compared.
 */
function schemaOf(contract: AnyContract, io: 'input' | 'output'): JsonSchema {
  const refuse = (what: string): never => {
    throw new Error(`${contract.wireType} ${what}, which JSON Schema cannot say: the gate would not see it change`);
  };
  try {
    const {
      $schema: _,
      $defs = {},
      ...root
    } = z.toJSONSchema(contract.schema, {
      io,
      override: ({ zodSchema, jsonSchema }) => {
        for (const check of zodSchema._zod.def.checks ?? []) {
          const { check: kind } = check._zod.def;
          if (kind === 'custom') refuse('has a refinement of its own');
          if (kind === 'overwrite') {
            const { tx } = check._zod.def as unknown as { readonly tx: (text: unknown) => unknown };
            jsonSchema[NORMALIZES] = tx(jsonSchema[NORMALIZES] ?? PROBE);
          }
        }
      },
    });
    return inlined(root, $defs, []) as JsonSchema;
  } catch (error) {
    if (error instanceof Error && error.message.includes('JSON Schema cannot say')) throw error;
    return refuse(`cannot be described (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Named parts are written out where they are used. */
function inlined(node: unknown, defs: JsonSchema, within: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((each) => inlined(each, defs, within));
  if (typeof node !== 'object' || node === null) return node;
  if ('$ref' in node && typeof node.$ref === 'string') {
    const { $ref, ...rest } = node;
    if ($ref === '#' || within.includes($ref)) throw new Error('it contains itself');
    return inlined({ ...(defs[$ref.replace('#/$defs/', '')] as object), ...rest }, defs, [...within, $ref]);
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inlined(value, defs, within)]));
}

/** Whether two pieces of JSON are the same, in whichever order their fields stand. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(sorted);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  );
}
