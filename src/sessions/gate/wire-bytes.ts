/** How much of the wire it takes: a text is longer in bytes than in characters. */
export const byteLength = (
  data: string | Uint8Array,
  encoding: BufferEncoding | 'buffer' | null | undefined,
): number => (typeof data === 'string' ? Buffer.byteLength(data, textEncoding(encoding)) : data.byteLength);

export const textEncoding = (encoding: BufferEncoding | 'buffer' | null | undefined): BufferEncoding =>
  encoding === 'buffer' ? 'utf8' : (encoding ?? 'utf8');

/** Of a whole body in chunks, as Node writes them (RFC 9112 §7.1); trailers are no part of it. */
export function withoutChunks(framed: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = framed.indexOf('\r\n', at);
    const size = end < 0 ? 0 : Number.parseInt(framed.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    const from = end + 2;
    parts.push(framed.subarray(from, from + size));
    at = from + size + 2;
  }
}
