/** How much of the wire it takes: a text is longer in bytes than in characters. */
export const byteLength = (
  data: string | Uint8Array,
  encoding: BufferEncoding | 'buffer' | null | undefined,
): number => (typeof data === 'string' ? Buffer.byteLength(data, textEncoding(encoding)) : data.byteLength);

export const textEncoding = (encoding: BufferEncoding | 'buffer' | null | undefined): BufferEncoding =>
  encoding === 'buffer' ? 'utf8' : (encoding ?? 'utf8');
