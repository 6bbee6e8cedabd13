import type { Client } from 'viem';
import { type SessionTerms, sessionTerms } from './challenge.js';
import { type ChannelOnChain, provenBy, readChannel } from './channel-on-chain.js';
import type { ChannelEntry } from './channel-store.js';
import { SessionPaymentError } from './errors.js';
import type { Exchange } from './exchange.js';
import { findChannel } from './find-channel.js';
import { asEntry, asRead, forgetOne, heldIn, inChannel, leave, leftOf, note } from './left-channels.js';
import { type Payer, recordedEntry } from './payer.js';
import { secondsLeft } from './pending.js';
import { mirroring, problemDetail, receiptOf, type SessionReceipt } from './receipt.js';
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
 * Asks the payee to close the channel, and those that were left before it, so that the rest of their deposits comes back.
 * What is signed for each is at most what was signed before; one unit more where all of that is captured, and so anybody
 * could close by it. A channel is forgotten when the chain shows that it is closed, not when a server says so.
 * @returns undefined where there is no channel, or none any more
 */
export async function closeChannel(
  payer: Payer,
  exchange: Exchange,
  terms: SessionTerms,
): Promise<SessionReceipt | undefined> {
  const client = await payer.clientOf(terms.chainId);
  let receipt: SessionReceipt | undefined;
  const failures: string[] = [];
  for (const entry of await channelsToClose(payer, client, terms)) {
    const closed = await closeOne({ payer, exchange, client, terms, entry });
    receipt ??= closed.receipt;
    // One that cannot be closed keeps no other from it.
    if (closed.failure !== undefined) failures.push(closed.failure);
  }
  if (failures.length === 0) return receipt;
  throw new SessionPaymentError('close_failed', failures.join('; '));
}

/** The channel that would be paid with, and all that were left before it. */
async function channelsToClose(payer: Payer, client: Client, terms: SessionTerms): Promise<readonly ChannelEntry[]> {
  const found = (await findChannel(payer, client, terms, new Set()))?.entry;
  if (found === undefined) return leftOf(await recordedEntry(payer, terms)).map(asEntry);
  const { channelId, pending, leftBefore = [] } = found;
  if (pending?.action === 'open')
    throw new SessionPaymentError(
      'open_undecided',
      `the opening of channel ${channelId} has no outcome yet; it is decided in ` +
        `${secondsLeft(pending, payer.clock.nowMs())} s`,
    );
  return [found, ...leftBefore.map(asEntry)];
}

interface Closing {
  readonly payer: Payer;
  readonly exchange: Exchange;
  readonly client: Client;
  readonly terms: SessionTerms;
  readonly entry: ChannelEntry;
}

interface Closed {
  readonly receipt?: SessionReceipt;
  readonly failure?: string;
}

async function closeOne(closing: Closing): Promise<Closed> {
  const { payer, client, terms, entry } = closing;
  const { channelId, left } = entry;
  const onChain = await readChannel(client, channelId, terms);
  // One that is paid with is closed also where all of it is captured.
  const closable = left === undefined ? onChain.deposit > 0n : heldIn(asRead(payer, entry, onChain)) > 0n;
  if (!closable) {
    await forgetOne(payer, terms, entry);
    return {};
  }
  const asked = await askToClose(closing, onChain);
  if ('failure' in asked) return asked;
  const { signed, cumulative, response } = asked;
  const why = await problemDetail(response);
  if (!response.ok && response.status !== 410)
    return { failure: `the server answered ${response.status} to the close of channel ${channelId}${why}` };
  // The same close once more is signed by the same voucher, which a server takes that is at it already.
  const counted = response.ok ? mirroring(signed, { spent: cumulative.toString() }) : signed;
  // On record before the chain is asked: a voucher for it could be captured by the close.
  await leave(payer, terms, counted, response.ok || left === 'closing' ? 'closing' : 'gone');
  const held = asRead(payer, counted, await readChannel(client, channelId, terms));
  if (heldIn(held) === 0n) await forgetOne(payer, terms, entry);
  if (response.ok) return { receipt: receiptOf(response) };
  return heldIn(held) === 0n
    ? {}
    : { failure: `the server answered 410 to the close${why}, and the chain still shows ${inChannel(held)}` };
}

/** What was signed, and what the server said to it in the end. */
interface Asked {
  readonly signed: ChannelEntry;
  readonly cumulative: bigint;
  readonly response: Response;
}

async function askToClose(
  { payer, exchange, terms: challenged, entry }: Closing,
  onChain: ChannelOnChain,
): Promise<Asked | { readonly failure: string }> {
  let terms = challenged;
  const signedSoFar = () =>
    highest(entry.cumulativeAmount, provenBy(terms.hints.voucher, entry.channelId, terms, payer.keys), onChain.settled);
  let cumulative = amountSpent(entry, onChain, signedSoFar());
  for (let refusals = 0; ; refusals += 1) {
    const signed = { ...entry, cumulativeAmount: highest(cumulative, signedSoFar()) };
    const { value } = await payer.signer.close(terms, entry, cumulative);
    await note(payer, terms, signed);
    const response = await exchange.manage({ name: terms.header, value });
    if (response.status !== 402 || refusals === MOST_REFUSALS) return { signed, cumulative, response };
    terms = sessionTerms(response.headers) ?? terms;
    // The server has served more than its hints or receipts told us: it may capture up to what we did sign, no further.
    cumulative = signedSoFar();
    if (!(await asksForProof(response))) continue;
    // One unit above all that was signed proves who closes, and is all that the payee could take beyond what it earned.
    cumulative += 1n;
    const failure = unprovable(payer, entry, onChain, cumulative);
    if (failure !== undefined) return { failure };
  }
}

/** What the server says it has served, held between what is settled and what was signed. */
function amountSpent({ mirrors }: ChannelEntry, { settled }: ChannelOnChain, signed: bigint): bigint {
  const said = mirrors?.spent;
  const spent = highest(said === undefined ? signed : BigInt(said), settled);
  return spent < signed ? spent : signed;
}

function unprovable(
  { maxDeposit }: Payer,
  { channelId }: ChannelEntry,
  { deposit }: ChannelOnChain,
  cumulative: bigint,
): string | undefined {
  if (cumulative > deposit) return `everything in channel ${channelId} is captured: there is nothing to come back`;
  if (cumulative <= maxDeposit) return undefined;
  return `the server wants a voucher of ${cumulative} to know who closes channel ${channelId}, over maxDeposit`;
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
