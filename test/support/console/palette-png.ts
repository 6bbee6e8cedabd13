import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** The same picture in its 256 most frequent colours, a third of the size: a page has few, and shades of them at the edges of letters. */
export function palettePng(png: Buffer): Buffer {
  const { width, height, colours } = read(png);
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, 256)
    .map(([colour]) => colour);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, nth) => {
    const place = places.get(colour) ?? nearest(palette, colour);
    places.set(colour, place);
    rows[nth + Math.floor(nth / width) + 1] = place;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(partsOf))),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const partsOf = (colour: number): readonly [number, number, number] => [
  colour >> 16,
  (colour >> 8) & 255,
  colour & 255,
];

function nearest(palette: readonly number[], colour: number): number {
  const wanted = partsOf(colour);
  const distances = palette.map((one) =>
    partsOf(one).reduce((sum, part, nth) => sum + (part - (wanted[nth] ?? 0)) ** 2, 0),
  );
  return distances.indexOf(Math.min(...distances));
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** Of what Chromium writes: 8 bits a part, not interlaced, three or four parts. */
function read(png: Buffer) {
  const packed: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      packed.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height, parts] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const bytes = unfiltered(inflateSync(Buffer.concat(packed)), { row: width * parts, height, parts });
  const colours = Array.from({ length: width * height }, (_, nth) => bytes.readUIntBE(nth * parts, 3));
  return { width, height, colours };
}

interface Shape {
  readonly row: number;
  readonly height: number;
  readonly parts: number;
}

/** Each row says how it was told by its neighbours (PNG, section 9). */
function unfiltered(raw: Buffer, { row, height, parts }: Shape): Buffer {
  const out = Buffer.alloc(row * height);
  const at = (y: number, x: number): number => (x < 0 || y < 0 ? 0 : (out[y * row + x] ?? 0));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < row; x += 1) {
      const guess = guessed(raw[y * (row + 1)] ?? 0, at(y, x - parts), at(y - 1, x), at(y - 1, x - parts));
      out[y * row + x] = ((raw[y * (row + 1) + 1 + x] ?? 0) + guess) & 255;
    }
  return out;
}

function guessed(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const [byLeft, byUp, byCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner;
}
