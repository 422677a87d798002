import type { ApiBodyOptions } from '@nestjs/swagger';
import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.JSONSchema;
type SchemaObject = Exclude<Extract<ApiBodyOptions, { schema: unknown }>['schema'], { $ref: string }>;

/**
 * A zod schema as an OpenAPI 3.1 schema object, complete in itself. `input` describes what a caller sends, `output` what
 * the schema makes of it.
 */
export function toOpenApi(schema: z.ZodType, io: 'input' | 'output' = 'input'): SchemaObject {
  const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return inlined(root, $defs) as SchemaObject;
}

/** `#/$defs/…` would point at the root of the whole API document, so named schemas are written out where they are used. */
function inlined(node: unknown, defs: Readonly<Record<string, JsonSchema>>): unknown {
  if (Array.isArray(node)) return node.map((each) => inlined(each, defs));
  if (typeof node !== 'object' || node === null) return node;
  if ('$ref' in node && typeof node.$ref === 'string') {
    const { $ref, ...rest } = node;
    return inlined({ ...defs[$ref.replace('#/$defs/', '')], ...rest }, defs);
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inlined(value, defs)]));
}
