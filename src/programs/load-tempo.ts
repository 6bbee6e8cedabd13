import type { Config } from '../config/config.js';
import type { TempoRuntime } from './tempo-runtime.js';

/** Only where a node is configured: the chain's libraries are most of what a program would load. */
export async function loadTempo({ tempo }: Config): Promise<TempoRuntime | undefined> {
  if (tempo === undefined) return undefined;
  const { createTempoRuntime } = await import('./tempo-runtime.js');
  return createTempoRuntime(tempo);
}
