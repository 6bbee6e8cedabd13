/** What happens at a call: the process dies, or is stopped until somebody lets it go on. */
export interface CrashOrder {
  /** `ledger.claimSettlements`, `ledger.commitSessions.close`, `authServer.settle`, … */
  readonly call: string;
  readonly moment: 'before' | 'after';
  /** Counted from 1 among the calls that fit; default 1. */
  readonly nth?: number;
  /** How a UUIDv7 of that millisecond begins: calls that concern only items made before it do not count. */
  readonly newerThan?: string;
  /** Ids of reversals are derived and tell no time: these are the ones made before. */
  readonly past?: readonly string[];
  /** Seller accounts and ids that count, whenever they were made. */
  readonly about?: readonly string[];
  /** Default SIGKILL. */
  readonly signal?: 'SIGKILL' | 'SIGSTOP';
}

/** What a process under test hears from its parent, and tells it. */
export type ToProcess = { readonly arm: CrashOrder } | { readonly tellCalls: true };
export type FromProcess = { readonly ready: string } | { readonly calls: readonly string[] } | { readonly armed: true };

/** How the line begins that a process writes before it is stopped. */
export const STOPPED = 'stopped';

type Operation = (...args: unknown[]) => unknown;

/** Calls that carry no item's id: the first one counts, whomever it is for. */
const WITHOUT_IDS: ReadonlySet<string> = new Set([
  'authServer.verify/before',
  'authServer.verify/after',
  'ledger.abandonedSessions/before',
  'ledger.dueSettlements/before',
  // A test of messages makes one item after the other.
  'ledger.noteWhoIsAsked/before',
  'ledger.noteWhoIsAsked/after',
  // Only one backfill runs at a time, and it is older than a worker that takes it over.
  'ledger.saveListedPage/after',
  'ledger.recordBackfill/before',
  'ledger.recordBackfill/after',
  'stripe.listTransfers/after',
  // Asked once by each process.
  'stripe.readAccount/before',
  'stripe.readAccount/after',
  'ledger.pinStripeAccount/before',
  'ledger.pinStripeAccount/after',
  // Webhooks name ids of the provider; a test lets nobody send one but itself.
  'ledger.storeWebhook/before',
  'ledger.storeWebhook/after',
  'ledger.dueWebhooks/before',
  'ledger.dueWebhooks/after',
  'ledger.itemOfWebhook/before',
  'ledger.itemOfWebhook/after',
  'ledger.finishWebhook/before',
  'ledger.finishWebhook/after',
  'ledger.dueItems/before',
  'ledger.duePaymentSearches/before',
  // The platform's balance is everybody's.
  'ledger.waitsForBalance/before',
  'ledger.waitsForBalance/after',
  'stripe.readPlatformBalance/before',
  'stripe.readPlatformBalance/after',
  'ledger.balanceShows/before',
  'ledger.balanceUnread/before',
  'ledger.balanceUnread/after',
]);
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Of a reversal. */
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OF_A_PROVIDER = /^(pay|ref|tr|pi)_/;
/** What paid a payment, and how it was booked: read one after the other, each by the name that the one before told. */
const TOLD_BY_A_READ = /^(ch|txn)_/;

/**
 * Wraps interfaces so that this process kills itself at a named call, chosen by the parent: nothing in the product knows
 * of it. The crash is a SIGKILL, so no cleanup of any kind runs.
 */
export function createCrashSwitch() {
  const seen = new Set<string>();
  const keysOf = new Map<string, string>();
  // Some calls come before anybody could send a message.
  const atOnce = process.env['TEST_CRASH_AT_ONCE'];
  let order: CrashOrder | undefined = atOnce ? (JSON.parse(atOnce) as CrashOrder) : undefined;
  let left = order?.nth ?? 1;

  process.on('message', (message: ToProcess) => {
    if ('arm' in message) {
      order = message.arm;
      left = message.arm.nth ?? 1;
    }
    const answer: FromProcess = 'arm' in message ? { armed: true } : { calls: Array.from(seen) };
    process.send?.(answer);
  });

  function concerned(at: string, values: readonly unknown[]): boolean {
    if (order?.newerThan === undefined || WITHOUT_IDS.has(at)) return true;
    const { newerThan, past = [], about = [] } = order;
    return textsIn(values, keysOf).some(
      (text) =>
        (UUID_V7.test(text) && text > newerThan) ||
        (UUID_V8.test(text) && !past.includes(text)) ||
        about.some((name) => text === name || text === `stripe:${name}`),
    );
  }

  function pass(call: string, moment: CrashOrder['moment'], values: readonly unknown[]): void {
    if (order?.call !== call || order.moment !== moment || !concerned(`${call}/${moment}`, values)) return;
    left -= 1;
    if (left > 0) return;
    const { signal = 'SIGKILL' } = order;
    order = undefined;
    // Nobody can ask a process that is stopped.
    if (signal === 'SIGSTOP') console.log(`${STOPPED} ${moment} ${call}`);
    process.kill(process.pid, signal);
  }

  const wrapOne = (name: string, operation: Operation): Operation =>
    async function wrapped(...args) {
      const call = nameOf(name, args);
      seen.add(call);
      pass(call, 'before', args);
      const result = await operation(...args);
      rememberKeys(result, keysOf);
      rememberTold(args, result, keysOf);
      pass(call, 'after', [args, result]);
      return result;
    };

  /** Stripe's calls are handed out lane by lane; they are `stripe.<call>` in every one. */
  const wrapPart = (part: string, operations: object): object =>
    Object.fromEntries(
      Object.entries(operations as Record<string, Operation>).map(([name, operation]) => [
        name,
        name === 'inLane'
          ? (lane: string) => wrapPart(part, operation(lane) as object)
          : wrapOne(`${part}.${name}`, operation),
      ]),
    );

  return function wrap<Parts extends object>(parts: Parts): Parts {
    const wrapped = Object.entries(parts).map(([part, operations]) => [
      part,
      operations && wrapPart(part, operations as object),
    ]);
    return Object.fromEntries(wrapped) as Parts;
  };
}

/** A checkpoint and a close are one operation of the ledger and two events of a payment. */
function nameOf(name: string, [first]: readonly unknown[]): string {
  if (name !== 'ledger.commitSessions') return name;
  const [change] = first as readonly { readonly kind: string }[];
  return `${name}.${change?.kind ?? 'nothing'}`;
}

/** Providers are called by their own ids or by key; which item of ours that is, the claim before it said. */
function rememberKeys(result: unknown, keysOf: Map<string, string>): void {
  const { claimed = [], claim } = (result ?? {}) as {
    readonly claimed?: readonly { id: string; key: string }[];
    readonly claim?: Readonly<Record<string, unknown>> & { readonly id: string; readonly refundId?: string };
  };
  for (const { id, key } of claimed) keysOf.set(key, id);
  if (!claim) return;
  for (const text of textsIn(claim)) {
    if (OF_A_PROVIDER.test(text)) keysOf.set(text, claim.refundId ?? claim.id);
  }
}

/** What an answer names is about the item that the call was about. */
function rememberTold(args: readonly unknown[], result: unknown, keysOf: Map<string, string>): void {
  const [item] = textsIn(args).flatMap((text) => keysOf.get(text) ?? []);
  if (item === undefined) return;
  for (const text of textsIn(result)) if (TOLD_BY_A_READ.test(text)) keysOf.set(text, item);
}

function textsIn(value: unknown, keysOf: ReadonlyMap<string, string> = new Map(), depth = 0): readonly string[] {
  if (typeof value === 'string') return [keysOf.get(value) ?? value];
  if (typeof value !== 'object' || value === null || depth > 4) return [];
  return Object.values(value).flatMap((inner) => textsIn(inner, keysOf, depth + 1));
}
