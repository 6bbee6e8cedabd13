import { z } from 'zod';
import type { StackEndpoints } from '../stack/stack.js';

const LIST = z.object({ items: z.array(z.object({ spent: z.object({ amount: z.string() }) })) });

type Endpoints = Pick<StackEndpoints, 'server' | 'tokens'>;

/** What an operator gets from `GET /api/v1/settlements?status=pending`; one page is plenty for the demo. */
export async function backlogByApi(endpoints: Endpoints): Promise<{ readonly count: number; readonly sum: bigint }> {
  const { items } = LIST.parse(JSON.parse(await get(endpoints, '/api/v1/settlements?status=pending&limit=200')));
  return { count: items.length, sum: items.reduce((sum, { spent }) => sum + BigInt(spent.amount), 0n) };
}

/** The gauge that the alert rules watch. */
export async function backlogByMetrics(endpoints: Endpoints): Promise<number> {
  const line = /^makegood_unsettled_count (\d+)$/m.exec(await get(endpoints, '/metrics'));
  if (line === null) throw new Error('/metrics has no makegood_unsettled_count');
  return Number(line[1]);
}

async function get({ server, tokens }: Endpoints, path: string): Promise<string> {
  const answer = await fetch(`${server}${path}`, { headers: { Authorization: `Bearer ${tokens.viewer}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${text}`);
  return text;
}
