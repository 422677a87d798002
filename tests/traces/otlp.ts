import type { Attributes, TraceSpan } from './span.ts';

/** The fields of a protobuf message by their numbers; each may occur again and again. */
type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

// The numbers are those of opentelemetry-proto's trace.proto, common.proto and trace_service.proto, which are stable.
const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUS_ERROR = 2n;

/** The spans of one OTLP request, as a collector gets it in the encoding `application/x-protobuf`. */
export function decodeOtlp(request: Buffer): readonly TraceSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resourceSpans) => {
    const resource = attributesOf(messages(resourceSpans, 1)[0] ?? new Map(), 1);
    return messages(resourceSpans, 2).flatMap((scopeSpans) =>
      messages(scopeSpans, 2).map((span) => spanOf(span, resource)),
    );
  });
}

function spanOf(span: Fields, resource: Attributes): TraceSpan {
  const parentId = bytes(span, 4).toString('hex');
  const status = messages(span, 15)[0] ?? new Map();
  return {
    traceId: bytes(span, 1).toString('hex'),
    spanId: bytes(span, 2).toString('hex'),
    ...(parentId === '' ? {} : { parentId }),
    service: String(resource['service.name']),
    instance: String(resource['service.instance.id']),
    name: bytes(span, 5).toString(),
    kind: KINDS[Number(number(span, 6))] ?? 'internal',
    startMs: Number(number(span, 7) / 1000n) / 1000,
    endMs: Number(number(span, 8) / 1000n) / 1000,
    isError: number(status, 3) === STATUS_ERROR,
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({
      name: bytes(event, 2).toString(),
      attributes: attributesOf(event, 3),
    })),
    links: messages(span, 13).map((link) => ({
      traceId: bytes(link, 1).toString('hex'),
      spanId: bytes(link, 2).toString('hex'),
    })),
  };
}

function attributesOf(owner: Fields, field: number): Attributes {
  return Object.fromEntries(
    messages(owner, field).map((pair) => [bytes(pair, 1).toString(), valueOf(messages(pair, 2)[0] ?? new Map())]),
  );
}

/** Texts, truths and numbers; lists and maps are shown as the bytes that they came as. */
function valueOf(value: Fields): string | number | boolean {
  if (value.has(1)) return bytes(value, 1).toString();
  if (value.has(2)) return number(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, number(value, 3)));
  if (value.has(4)) {
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(number(value, 4));
    return double.readDoubleLE();
  }
  return [...value.values()].flat().map(String).join(' ');
}

function messages(owner: Fields, field: number): readonly Fields[] {
  return (owner.get(field) ?? []).map((value) => fieldsOf(Buffer.isBuffer(value) ? value : Buffer.alloc(0)));
}

function bytes(owner: Fields, field: number): Buffer {
  const value = owner.get(field)?.at(-1);
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function number(owner: Fields, field: number): bigint {
  const value = owner.get(field)?.at(-1);
  return typeof value === 'bigint' ? value : 0n;
}

/** Reads the wire format. @throws {RangeError} the bytes end too early or are no protobuf. */
function fieldsOf(message: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new RangeError(`${length} bytes are wanted at ${at} of ${message.length}`);
    return message.subarray(at, (at += length));
  };
  while (at < message.length) {
    const tag = Number(varint());
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    switch (tag & 7) {
      case 0:
        values.push(varint());
        break;
      case 1:
        values.push(take(8).readBigUInt64LE());
        break;
      case 2:
        values.push(take(Number(varint())));
        break;
      case 5:
        values.push(BigInt(take(4).readUInt32LE()));
        break;
      default:
        throw new RangeError(`wire type ${tag & 7} at ${at} is none of protobuf 3`);
    }
  }
  return fields;
}
