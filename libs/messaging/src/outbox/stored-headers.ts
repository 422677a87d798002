/** A header's value as it is stored: text, or bytes that are no text. */
type HeaderText = string | { readonly base64: string };

/** One value, or the values of a header that repeats, in their order. */
export type HeaderValue = HeaderText | readonly HeaderText[];

/** Headers as the database keeps them. */
export type StoredHeaders = Readonly<Record<string, HeaderValue>>;

/** Headers as Kafka's client takes and gives them. */
export type WireHeaders = Record<string, Buffer | string | (Buffer | string)[]>;

/** What Kafka gave, byte for byte and with its repetitions, in a form that JSON can hold. */
export function storedHeaders(
  headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | null | undefined>>,
): StoredHeaders {
  const stored: Record<string, HeaderValue> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    stored[name] = Array.isArray(value) ? value.map(headerText) : headerText(value as Buffer | string | null);
  }
  return stored;
}

/** The opposite of `storedHeaders`, from its JSON. */
export function headersOf(json: string): WireHeaders {
  return wireHeaders(JSON.parse(json) as StoredHeaders);
}

/** The opposite of `storedHeaders`: a new object, which the caller may change. */
export function wireHeaders(stored: StoredHeaders): WireHeaders {
  const headers: Record<string, HeaderValue | WireHeaders[string]> = { ...stored };
  for (const name in stored) {
    const value = stored[name];
    // Nearly all are text, and stay what they are.
    if (value === undefined || typeof value === 'string') continue;
    headers[name] = Array.isArray(value) ? value.map(wireHeader) : wireHeader(value as HeaderText);
  }
  return headers as WireHeaders;
}

/** Whether the bytes are UTF-8 that PostgreSQL's text can hold. */
export function isPlainText(bytes: Buffer): boolean {
  return !bytes.includes(0) && Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

/** Kafka's client cannot send a header without a value: it becomes an empty one. */
function headerText(value: Buffer | string | null): HeaderText {
  const bytes = Buffer.from(value ?? '');
  return isPlainText(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

function wireHeader(value: HeaderText): Buffer | string {
  return typeof value === 'string' ? value : Buffer.from(value.base64, 'base64');
}
