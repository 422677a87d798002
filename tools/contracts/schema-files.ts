import { catalogue } from '../../libs/contracts/src/index.ts';
import { type MessageSnapshot, snapshotOf } from '../../libs/contracts/src/compatibility/index.ts';
import { json } from './files.ts';

/** The committed description of every message, one file for each: what a reader accepts is a JSON Schema of its own in it. */
export async function schemaFiles(messages = snapshotOf(catalogue).messages): Promise<ReadonlyMap<string, string>> {
  const files = await Promise.all(
    messages.map(
      async (snapshot) => [`${snapshot.message}.v${snapshot.version}.json`, await json(titled(snapshot))] as const,
    ),
  );
  return new Map(files);
}

function titled({ schema, ...snapshot }: MessageSnapshot): object {
  const { message, version, meaning, written, ...facts } = snapshot;
  return {
    message,
    version,
    meaning,
    ...facts,
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:millrace:${message}:v${version}`,
      title: `${message} v${version}`,
      description: meaning,
      ...schema,
    },
    written,
  };
}
