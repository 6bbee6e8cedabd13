import { payerAccount } from '../payer/account.js';
import { readOffers } from '../payer/challenge.js';
import { answerOffers, type PayOptions, pay, withCredential } from '../payer/pay.js';

/** What a buyer saw of one paid request. */
export interface Purchase {
  readonly what: string;
  readonly status: number;
  /** In a few words; never the credential. */
  readonly seen: string;
}

interface Wish {
  readonly by: string;
  readonly how: Omit<PayOptions, 'account'>;
  readonly path: string;
}

const ATXP = { protocol: 'atxp' } as const;
const X402 = { protocol: 'x402' } as const;
const MPP = { protocol: 'mpp' } as const;

/** Every protocol, and every way an answer can be charged: whole, metered, streamed. */
const BASKET: readonly (Wish & { readonly name: string })[] = [
  { name: 'ATXP, one price', by: 'alice', how: ATXP, path: '/demo/fixed' },
  { name: 'x402 v2 exact, one price', by: 'bob', how: X402, path: '/demo/fixed' },
  { name: 'x402 v1 exact, one price', by: 'bob', how: { ...X402, version: 1 }, path: '/demo/fixed' },
  { name: 'MPP charge, one price', by: 'carol', how: MPP, path: '/demo/fixed' },
  { name: 'ATXP, metered', by: 'alice', how: ATXP, path: '/demo/metered?n=3' },
  { name: 'x402 upto, metered', by: 'bob', how: X402, path: '/demo/metered?n=4' },
  { name: 'MPP session, metered', by: 'carol', how: MPP, path: '/demo/metered?n=5' },
  { name: 'ATXP, streamed', by: 'alice', how: ATXP, path: '/demo/stream?n=6' },
  { name: 'x402 upto, streamed', by: 'bob', how: X402, path: '/demo/stream?n=7' },
];

/** Buys the whole basket, one after the other. */
export async function buyBasket(server: string, onPurchase: (purchase: Purchase) => void): Promise<Purchase[]> {
  const purchases: Purchase[] = [];
  for (const wish of BASKET) {
    const answer = await pay(`${server}${wish.path}`, { ...wish.how, account: payerAccount(wish.by) });
    const purchase = { what: `${wish.name}: ${wish.path}`, status: answer.status, seen: seenIn(await answer.text()) };
    purchases.push(purchase);
    onPurchase(purchase);
  }
  return purchases;
}

/** A stream whose reader hangs up in the middle. */
export async function hangUp(server: string, afterTicks: number): Promise<Purchase> {
  const leaving = new AbortController();
  const answer = await pay(`${server}/demo/stream?n=9`, {
    ...ATXP,
    account: payerAccount('dave'),
    init: { signal: leaving.signal },
  });
  let text = '';
  for await (const bytes of answer.body ?? []) {
    text += Buffer.from(bytes).toString('utf8');
    if (ticksIn(text) >= afterTicks) break;
  }
  leaving.abort();
  return {
    what: 'ATXP, streamed, the reader hangs up: /demo/stream?n=9',
    status: answer.status,
    seen: `${ticksIn(text)} ticks, then gone`,
  };
}

/** Presents one payment twice; the first answer and the second. */
export async function payTwice(server: string): Promise<readonly [Purchase, Purchase]> {
  const url = `${server}/demo/fixed`;
  const offers = await readOffers(await fetch(url));
  const credential = await answerOffers(offers, { ...X402, account: payerAccount('erin') });
  const send = async (what: string): Promise<Purchase> => {
    const answer = await fetch(url, withCredential(credential));
    return { what, status: answer.status, seen: seenIn(await answer.text()) };
  };
  return [await send('x402 v2 exact, one price: /demo/fixed'), await send('the same payment presented again')];
}

const ticksIn = (text: string): number => text.split('event: tick').length - 1;

function seenIn(text: string): string {
  const ticks = ticksIn(text);
  if (ticks > 0) return `${ticks} ticks`;
  try {
    const body = JSON.parse(text) as { code?: string; done?: number };
    return body.code ?? (body.done === undefined ? 'the whole answer' : `${body.done} steps`);
  } catch {
    return `${text.length} characters`;
  }
}
