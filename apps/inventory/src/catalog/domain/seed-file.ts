import { z } from 'zod';
import { NewProduct } from './product.ts';

// Strict, so that a mistyped field is found and not left out.
const Products = z.array(z.strictObject(NewProduct.shape)).min(1);

/** The seed file cannot be used. The message names every product and field that is wrong, and what was expected. */
export class SeedFileError extends Error {
  override readonly name = 'SeedFileError';
}

/**
 * The products of a seed file: a JSON list of `{ sku, name, price: { amountMinor, currency }, stock }`.
 * @throws {SeedFileError} it is none, or names a product twice.
 */
export function parseSeedFile(text: string): readonly NewProduct[] {
  const json = parseJson(text);
  const result = Products.safeParse(json);
  if (!result.success) throw new SeedFileError(result.error.issues.map((issue) => lineOf(issue, json)).join('\n'));
  const twice = result.data.filter(({ sku }, index) => result.data.findIndex((other) => other.sku === sku) !== index);
  if (twice.length > 0) throw new SeedFileError(twice.map(({ sku }) => `${sku}: sku: is listed twice`).join('\n'));
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SeedFileError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Such as `MUG-BLUE: price.amountMinor: expected int`; a product without a sku is named by its place. */
function lineOf({ path: [index, ...field], message }: z.core.$ZodIssue, json: unknown): string {
  if (typeof index !== 'number') return message;
  const product: unknown = Array.isArray(json) ? json[index] : undefined;
  const sku = typeof product === 'object' && product !== null && 'sku' in product ? product.sku : undefined;
  const name = typeof sku === 'string' && sku !== '' ? sku : `product ${index + 1}`;
  return [name, field.join('.'), message].filter((part) => part !== '').join(': ');
}
