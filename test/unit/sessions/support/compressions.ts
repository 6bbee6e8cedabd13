import { createRequire } from 'node:module';
import type { RequestHandler } from 'express';

const require = createRequire(import.meta.url);
type Compression = (options?: object) => RequestHandler;
// Neither version ships types.
const v17 = require('compression-1.7') as Compression;
const v18 = require('compression-1.8') as Compression;

export interface Layers {
  readonly name: string;
  readonly before: readonly RequestHandler[];
  readonly after: readonly RequestHandler[];
}

/** Where a middleware that changes every byte may stand. */
export const LAYERS: readonly Layers[] = [
  { name: 'none', before: [], after: [] },
  { name: '1.7 before', before: [v17()], after: [] },
  { name: '1.7 after', before: [], after: [v17()] },
  { name: '1.8 before', before: [v18()], after: [] },
  { name: '1.8 after', before: [], after: [v18()] },
];
