import { createHyperswitch, type HyperswitchOptions } from '../../../src/providers/hyperswitch/client.js';
import { type Answering, json, startAnswering } from '../answering-server.js';

export const API_KEY = 'snd_CANARY0api0key';
export const NOW = Date.parse('2026-11-21T12:00:00Z');

/** Our client of Hyperswitch before a server that answers as told. */
export async function answering(answers: Answering | readonly Answering[], options: Partial<HyperswitchOptions> = {}) {
  const { received, url: baseUrl } = await startAnswering(answers);
  const client = createHyperswitch({ baseUrl, apiKey: API_KEY, clock: { nowMs: () => NOW }, ...options });
  return { client, received, baseUrl };
}

/** Hyperswitch's form of an error. */
export const error = (status: number, code: string, message: string, more: Record<string, unknown> = {}): Answering =>
  json(status, { error: { type: 'invalid_request', code, message, ...more } });
