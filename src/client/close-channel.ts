import type { Client } from 'viem';
import { type SessionTerms, sessionTerms } from './challenge.js';
import { provenBy, readChannel } from './channel-on-chain.js';
import { SessionPaymentError } from './errors.js';
import type { Exchange } from './exchange.js';
import { type FoundChannel, findChannel, secondsLeft } from './find-channel.js';
import { forget, type Payer, record } from './payer.js';
import { problemDetail, receiptOf, type SessionReceipt } from './receipt.js';
import { highest } from './signing-plan.js';

/** The challenge of the address whose channel is to be closed; nothing is paid for asking. */
export async function closingTerms(exchange: Exchange): Promise<SessionTerms> {
  const asked = await exchange.manage();
  const terms = asked.status === 402 ? sessionTerms(asked.headers) : undefined;
  if (terms !== undefined) exchange.requirePayable(asked);
  const why = await problemDetail(asked);
  if (terms !== undefined) return terms;
  throw new SessionPaymentError(
    'close_failed',
    `${exchange.url.href} answered ${asked.status} to a POST, and gave no challenge to close with${why}`,
  );
}

/**
 * Asks the payee to close the channel, so that the rest of its deposit comes back. What is signed for it is at most what
 * was signed before; one unit more where all of that is captured, and so anybody could close by it.
 * @returns undefined where there is no channel, or none any more
 */
export async function closeChannel(
  payer: Payer,
  exchange: Exchange,
  challenged: SessionTerms,
): Promise<SessionReceipt | undefined> {
  const client = await payer.clientOf(challenged.chainId);
  const found = await findChannel(payer, client, challenged, new Set());
  if (found === undefined) return undefined;
  const { channelId, pending } = found.entry;
  if (pending?.action === 'open')
    throw new SessionPaymentError(
      'open_undecided',
      `the opening of channel ${channelId} has no outcome yet; it is decided in ` +
        `${secondsLeft(pending, payer.clock.nowMs())} s`,
    );
  const closing = { payer, exchange, found };
  let terms = challenged;
  let cumulative = await amountSpent(payer, client, terms, found);
  for (let refusals = 0; ; refusals += 1) {
    const response = await sendClose(closing, terms, cumulative);
    if (response.status !== 402 || refusals === MOST_REFUSALS) return closed(payer, terms, response);
    terms = sessionTerms(response.headers) ?? terms;
    // The server has served more than its hints or receipts told us: it may capture up to what we did sign, no further.
    cumulative = signedSoFar(payer, terms, found);
    if (await asksForProof(response)) cumulative = await neverShown(payer, client, terms, found);
  }
}

/** First what the server says was spent, then all that was signed, then one that nobody can have read on chain. */
const MOST_REFUSALS = 2;

/** Everything we signed is public, so a close signed by it could be anybody's. */
async function asksForProof(response: Response): Promise<boolean> {
  try {
    const problem: unknown = JSON.parse(await response.text());
    return typeof problem === 'object' && problem !== null && 'type' in problem && problem.type === CLOSE_UNPROVEN;
  } catch {
    return false;
  }
}

const CLOSE_UNPROVEN = 'https://paymentauth.org/problems/session/close-unproven';

/** One unit above all that was signed: it proves who closes, and is all that the payee could take beyond what it earned. */
async function neverShown(payer: Payer, client: Client, terms: SessionTerms, found: FoundChannel): Promise<bigint> {
  const { channelId } = found.entry;
  const { deposit } = await readChannel(client, channelId, terms);
  const cumulative = signedSoFar(payer, terms, found) + 1n;
  if (cumulative <= deposit && cumulative <= payer.maxDeposit) return cumulative;
  throw new SessionPaymentError(
    'close_failed',
    cumulative > deposit
      ? `everything in channel ${channelId} is captured: there is nothing to come back`
      : `the server wants a voucher of ${cumulative} to know who closes channel ${channelId}, over maxDeposit`,
  );
}

interface Closing {
  readonly payer: Payer;
  readonly exchange: Exchange;
  readonly found: FoundChannel;
}

function signedSoFar(payer: Payer, terms: SessionTerms, { entry, onChain }: FoundChannel): bigint {
  const proven = provenBy(terms.hints.voucher, entry.channelId, terms, payer.keys);
  return highest(entry.cumulativeAmount, proven, onChain?.settled ?? 0n);
}

/** What the server says it has served, held between what is settled and what was signed. */
async function amountSpent(payer: Payer, client: Client, terms: SessionTerms, found: FoundChannel): Promise<bigint> {
  const { settled } = found.onChain ?? (await readChannel(client, found.entry.channelId, terms));
  const signed = signedSoFar(payer, terms, found);
  const said = found.entry.mirrors?.spent;
  const spent = highest(said === undefined ? signed : BigInt(said), settled);
  return spent < signed ? spent : signed;
}

async function sendClose(
  { payer, exchange, found }: Closing,
  terms: SessionTerms,
  cumulative: bigint,
): Promise<Response> {
  const { value } = await payer.signer.close(terms, found.entry, cumulative);
  await record(payer, { ...found.entry, cumulativeAmount: highest(cumulative, signedSoFar(payer, terms, found)) });
  return exchange.manage({ name: terms.header, value });
}

async function closed(payer: Payer, terms: SessionTerms, response: Response): Promise<SessionReceipt | undefined> {
  const why = await problemDetail(response);
  if (!response.ok && response.status !== 410)
    throw new SessionPaymentError('close_failed', `the server answered ${response.status} to the close${why}`);
  await forget(payer, terms.key);
  return response.ok ? receiptOf(response) : undefined;
}
