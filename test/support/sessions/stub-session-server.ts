import type { Hex } from 'viem';
import {
  paymentIn,
  paymentRequired,
  receiptHeader,
  request,
  type SignedPayload,
  type stubChain,
} from './session-world.js';

/** What becomes of the next payment that reaches the shop. */
type Fate = 'lost before' | 'lost after' | 'refused' | '500';

/** An honest server in this process, whose answers can be lost. It tells nothing of channels unless it is told to. */
export function stubSessionServer(chain: ReturnType<typeof stubChain>, price = 10n) {
  const shop = {
    price,
    suggestedDeposit: '1000',
    /** The channel that each unpaid request named. */
    asked: [] as (string | null)[],
    /** Payments and how they were answered, oldest first: `voucher 20 200`. */
    log: [] as string[],
    fates: [] as Fate[],
    /** Whether a close that it takes is seen on chain at once. */
    closes: true,
    payloads: [] as SignedPayload[],
    channels: new Map<string, { accepted: bigint; spent: bigint }>(),
    details: {} as Record<string, unknown>,
    expires: undefined as string | undefined,
    receipt: undefined as string | undefined,
    fetch: ((_input, init) => answer(init)) as typeof globalThis.fetch,
  };
  const asks = (detail?: string): Response =>
    paymentRequired(
      request(shop.details, { amount: String(shop.price), suggestedDeposit: shop.suggestedDeposit }),
      detail,
      shop.expires,
    );

  async function answer(init: RequestInit | undefined): Promise<Response> {
    const payment = paymentIn(init);
    if (payment === undefined) {
      shop.asked.push(new Headers(init?.headers).get('Payment-Session'));
      return asks();
    }
    const { payload } = payment;
    shop.payloads.push(payload);
    const fate = shop.fates.shift();
    const note = (outcome: number | string) =>
      shop.log.push(`${payload.action} ${payload.cumulativeAmount ?? ''} ${outcome}`);
    if (fate === 'lost before') {
      note('lost');
      throw new TypeError('fetch failed');
    }
    const response = fate === 'refused' ? asks('not today') : take(payload);
    note(fate?.startsWith('lost') ? 'lost' : fate === '500' ? 500 : response.status);
    if (fate === 'lost after') throw new TypeError('fetch failed');
    return fate === '500' ? new Response('', { status: 500 }) : response;
  }

  function take(payload: SignedPayload): Response {
    const id = payload.channelId.toLowerCase();
    if (payload.transaction !== undefined && !chain.channels.has(id)) chain.execute(payload);
    else if (payload.action === 'topUp') chain.execute(payload);
    if (payload.action === 'topUp') return new Response(null, { status: 204 });
    const cumulative = BigInt(payload.cumulativeAmount ?? '0');
    const known = shop.channels.get(id) ?? (payload.action === 'open' ? { accepted: 0n, spent: 0n } : undefined);
    if (known === undefined) return new Response('', { status: 410 });
    if (payload.action === 'close') {
      if (cumulative < known.spent) return asks('too low');
      if (shop.closes) chain.close(payload.channelId);
      return new Response(null, { status: 204 });
    }
    const accepted = cumulative > known.accepted ? cumulative : known.accepted;
    const spent = known.spent + shop.price;
    if (cumulative < known.accepted || spent > accepted) return asks('insufficient balance');
    shop.channels.set(id, { accepted, spent });
    const header = shop.receipt ?? receiptHeader(id as Hex, String(accepted), String(spent));
    return new Response('served', { headers: { 'Payment-Receipt': header } });
  }
  return shop;
}
