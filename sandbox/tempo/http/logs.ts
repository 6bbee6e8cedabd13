import { z } from 'zod';
import type { Chain } from '../state/chain.js';
import { logsOf } from './receipts.js';
import { RpcRefused } from './rpc-error.js';

const word = z.string().regex(/^0x[0-9a-fA-F]*$/);
const oneOrMany = z.union([word, z.array(word)]);
const filterSchema = z.object({
  address: oneOrMany.optional(),
  topics: z.array(oneOrMany.nullable()).optional(),
  fromBlock: z.string().optional(),
  toBlock: z.string().optional(),
});

/** eth_getLogs: by address, topics and blocks. @throws RpcRefused for a filter that does not read */
export function findLogs(chain: Chain, given: unknown) {
  const parsed = filterSchema.safeParse(given);
  if (!parsed.success) throw new RpcRefused(-32_602, `invalid params: ${z.prettifyError(parsed.error)}`);
  const { address, topics = [], fromBlock = 'latest', toBlock = 'latest' } = parsed.data;
  const first = numberOf(fromBlock, chain);
  const last = numberOf(toBlock, chain);
  return chain
    .blocks()
    .filter(({ blockNumber }) => blockNumber >= first && blockNumber <= last)
    .flatMap((mined) => logsOf(mined))
    .filter((log) => matches(address, log.address))
    .filter((log) => topics.every((wanted, index) => wanted === null || matches(wanted, log.topics[index])));
}

function matches(wanted: z.infer<typeof oneOrMany> | undefined, found: string | undefined): boolean {
  if (wanted === undefined) return true;
  const list = typeof wanted === 'string' ? [wanted] : wanted;
  return list.length === 0 || list.some((each) => each.toLowerCase() === found?.toLowerCase());
}

function numberOf(tag: string, chain: Chain): number {
  if (tag === 'earliest') return 0;
  return /^0x[0-9a-f]+$/i.test(tag) ? Number(BigInt(tag)) : chain.blockNumber();
}
