import { z } from 'zod';

/** How many items a page may have. */
export const limit = z.coerce.number('expected a number').int().min(1).max(100).default(20).describe('Items per page');

// Longer than any cursor of ours: garbage ends here.
const MAX_CURSOR_LENGTH = 256;

export const cursor = z
  .string()
  .max(MAX_CURSOR_LENGTH)
  .optional()
  .describe('Where the page starts: taken from the `next` of the page before, never made up');

export const NEXT_LINK_HEADER = {
  Link: { description: 'The path of the next page, as `<…>; rel="next"`, if there is one', schema: { type: 'string' } },
} as const;
