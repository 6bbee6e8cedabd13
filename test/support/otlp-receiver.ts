import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** A span as it was received. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the root. */
  readonly parentId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message: string };
}

export type OtlpReceiver = Awaited<ReturnType<typeof startOtlpReceiver>>;

/** What a collector does of OTLP by HTTP: takes spans in protobuf (opentelemetry/proto/trace/v1), and remembers them. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const sent = await buffer(req);
      const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      bodies.push(body);
      if (req.url === '/v1/traces') spans.push(...spansIn(body));
      res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** Everything that came, as it came. */
    bodies,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The fields of one message: by number, each value as its wire type has it. */
type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

function fieldsOf(message: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number) => message.subarray(at, (at += length));
  const read: Record<number, () => Buffer | bigint> = {
    0: varint,
    1: () => bytes(8),
    2: () => bytes(Number(varint())),
    5: () => bytes(4),
  };
  while (at < message.length) {
    const tag = Number(varint());
    const value = read[tag & 7]?.();
    if (value === undefined) throw new Error(`wire type ${tag & 7} is not protobuf's`);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((one) => fieldsOf(one as Buffer));
const text = (fields: Fields, field: number): string => String(fields.get(field)?.[0] ?? '');
const hex = (fields: Fields, field: number): string =>
  (fields.get(field)?.[0] as Buffer | undefined)?.toString('hex') ?? '';

function valueOf(value: Fields | undefined): unknown {
  if (value === undefined) return undefined;
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return value.get(2)?.[0] === 1n;
  if (value.has(3)) return Number(value.get(3)?.[0]);
  if (value.has(4)) return (value.get(4)?.[0] as Buffer | undefined)?.readDoubleLE();
  if (value.has(5)) return messages(messages(value, 5)[0] ?? new Map(), 1).map(valueOf);
  return undefined;
}

const attributesOf = (fields: Fields, field: number): Record<string, unknown> =>
  Object.fromEntries(messages(fields, field).map((pair) => [text(pair, 1), valueOf(messages(pair, 2)[0])]));

function spansIn(body: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((ofResource) => {
    const [resource] = messages(ofResource, 1);
    const service = String(resource && attributesOf(resource, 1)['service.name']);
    return messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span) => {
        const [status] = messages(span, 15);
        return {
          service,
          name: text(span, 5),
          traceId: hex(span, 1),
          spanId: hex(span, 2),
          parentId: hex(span, 4),
          attributes: attributesOf(span, 9),
          status: { code: Number(status?.get(3)?.[0] ?? 0), message: status ? text(status, 2) : '' },
        };
      }),
    );
  });
}
