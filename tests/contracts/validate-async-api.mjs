// Asks the official parser about AsyncAPI documents: `validate-async-api.mjs <file>…` prints, as JSON, what it refuses of each.
// A process of its own, because the parser takes ten times as long inside Jest.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/parser';

const parser = new asyncapi.Parser();
const refused = [];
for (const file of process.argv.slice(2)) {
  const { diagnostics } = await parser.parse(readFileSync(file, 'utf8'));
  // Below an error are hints only, such as one at the newest version of the standard.
  const errors = diagnostics.filter(({ severity }) => severity === 0);
  refused.push(errors.map(({ message, path }) => `${path.join('.')}: ${message}`));
}
process.stdout.write(JSON.stringify(refused));
