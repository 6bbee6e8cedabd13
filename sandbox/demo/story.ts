import { setTimeout as wait } from 'node:timers/promises';
import type { Stack } from '../stack/stack.js';
import { ask } from './ask.js';
import { backlogByApi, backlogByMetrics } from './backlog.js';
import { agrees, type Ledgers, type OurLine, pairUp, sumOf, usdc } from './ledgers.js';
import type { Narrator } from './narrator.js';
import { buyBasket, hangUp, type Purchase, payTwice } from './purchases.js';
import { untilHolds } from './until-holds.js';

export interface Story {
  readonly stack: Stack;
  readonly ledgers: Ledgers;
  readonly narrator: Narrator;
}

/** Far longer than any of these waits takes, on a slow machine too; a promise that is not kept by then counts as broken. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** The whole story on real traffic; every figure in it is read from one of the two ledgers. */
export async function tell(story: Story): Promise<void> {
  await aGoodDay(story);
  await theOutage(story);
  await theKill(story);
  await theRecovery(story);
  await theReckoning(story);
}

async function aGoodDay({ stack, ledgers, narrator }: Story): Promise<void> {
  narrator.chapter('A good day: buyers pay, the answer is served, the money moves when the response closes.');
  const { server } = stack.endpoints;
  const bought = await buyBasket(server, show(narrator));
  narrator.check('every buyer was served', bought.every(served), `${bought.length} answers`);
  const [first, again] = await payTwice(server);
  [first, again].forEach(show(narrator));
  narrator.check(
    'a payment that was used cannot be used again',
    first.status === 200 && again.status === 409,
    `${first.status}, then ${again.status}`,
  );
  await untilSettled(ledgers);
  await compareSums(ledgers, narrator, 'all of it was collected, to the last digit');
}

async function theOutage({ stack, ledgers, narrator }: Story): Promise<void> {
  narrator.chapter('The auth server breaks. It still checks payments, but every settle fails:');
  narrator.say('some answer 5xx, and some take the money and cut the line, so that nobody learns of it.');
  const before = await settlesOf(ledgers);
  await breakSettles(stack.endpoints.sandbox);
  const bought = await buyBasket(stack.endpoints.server, show(narrator));
  const left = await hangUp(stack.endpoints.server, 2);
  show(narrator)(left);
  narrator.check(
    'every buyer was served all the same, streams too',
    [...bought, left].every(served),
    `${bought.length + 1} answers`,
  );
  const open = await untilUnsettled(ledgers, bought.length + 1);
  narrator.check(
    'each of these charges waits in our ledger, none is given up',
    open.length === bought.length + 1 && open.every(({ status }) => status === 'pending'),
    `${open.length} pending, ${usdc(sumOf(open))}`,
  );
  const seen = await untilBothWays(ledgers, before);
  narrator.check(
    'settle calls have failed in both ways: refused, and taken without a word',
    seen.refused > 0 && seen.silent > 0,
    `${seen.refused} calls of ${seen.refused + seen.silent} took nothing`,
  );
  narrator.say(
    `By now the auth server has taken ${seen.silent} of them without telling anybody. They are not taken twice:`,
  );
  narrator.say('whoever tries again sends the same bytes under the same key.');
}

async function theKill({ stack, ledgers, narrator }: Story): Promise<void> {
  const worker = stack.child('worker');
  narrator.chapter(`In the middle of it the worker is killed: kill -9 ${worker.pid()}.`);
  await worker.kill();
  const bought = await buyBasket(stack.endpoints.server, () => undefined);
  narrator.check(
    'the same purchases once more: buyers do not notice',
    bought.every(served),
    `${bought.length} answers, ${bought.filter(served).length} of them 200`,
  );
  const open = await unsettled(ledgers);
  const [listed, counted] = await Promise.all([backlogByApi(stack.endpoints), backlogByMetrics(stack.endpoints)]);
  narrator.check(
    'the API and the metrics show the whole backlog, with the worker dead',
    listed.count === open.length && listed.sum === sumOf(open) && counted === open.length,
    `the API lists ${listed.count} pending, ${usdc(listed.sum)}; makegood_unsettled_count ${counted}`,
  );
  await worker.start();
  narrator.say(`The worker is started again, as process ${worker.pid()}.`);
}

async function theRecovery({ stack, ledgers, narrator }: Story): Promise<void> {
  narrator.chapter('The auth server is healed. Nobody does anything else; the backlog drains:');
  await fetch(`${stack.endpoints.sandbox}/_sandbox/faults`, { method: 'DELETE' });
  const started = performance.now();
  let last = '';
  const drained = await untilSettled(ledgers, (open, lines) => {
    const now = `${open.length} waiting, ${usdc(sumOf(open))}; settled ${lines}`;
    if (now !== last) narrator.say(`${seconds(performance.now() - started)}  ${now}`);
    last = now;
  });
  narrator.check('the backlog is empty', drained, `after ${seconds(performance.now() - started)}`);
}

async function theReckoning({ ledgers, narrator }: Story): Promise<void> {
  narrator.chapter('The two ledgers, line by line. What was sent joins them: the digest of the exact bytes.');
  const pairs = pairUp(await ledgers.ours(), await ledgers.theirs());
  narrator.say('settlement (ours)                     protocol  ours      theirs    attempts');
  for (const pair of pairs) {
    const { ours, theirs } = pair;
    const cells = [
      (ours?.id ?? 'unknown to us').padEnd(36),
      (ours?.protocol ?? theirs?.protocol ?? '').padEnd(8),
      digits(ours?.spent).padEnd(8),
      digits(theirs && BigInt(theirs.amount)).padEnd(8),
      String(ours?.attempts ?? '').padStart(2),
    ];
    narrator.say(`${cells.join('  ')}  ${agrees(pair) ? '✓' : `✗ ${ours?.status ?? 'only theirs'}`}`);
  }
  narrator.check(
    'each line is in both ledgers, once, with the same amount',
    pairs.every(agrees),
    `${pairs.length} lines`,
  );
  await compareSums(ledgers, narrator, 'the sums agree');
  const { totals } = await ledgers.calls();
  narrator.check(
    'no charge was ever sent twice at the same time',
    totals.overlaps === 0,
    `${totals.settleCalls} settle calls`,
  );
  narrator.check(
    'every repetition sent the same bytes under the same key',
    totals.keysWithDifferingBodies + totals.keysWithDifferingHeaders === 0,
  );
  const waiting = (await ledgers.ours()).filter(({ attention }) => attention !== null);
  narrator.check('no person has to look at anything', waiting.length === 0, `${waiting.length} need attention`);
}

const served = ({ status }: Purchase): boolean => status === 200;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(4)} s`;
const digits = (amount: bigint | undefined): string => (amount === undefined ? '-' : (Number(amount) / 1e6).toFixed(6));

const show =
  (narrator: Narrator) =>
  ({ what, status, seen }: Purchase): void =>
    narrator.say(`${what.padEnd(58)} ${status}  ${seen}`);

const unsettled = async (ledgers: Ledgers) => (await ledgers.ours()).filter(({ status }) => status !== 'settled');

/** The close of a response whose reader hung up is not awaited by anybody, so it may come a moment later. */
async function untilUnsettled(ledgers: Ledgers, count: number): Promise<OurLine[]> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let open = await unsettled(ledgers);
  while (open.length < count && performance.now() < giveUpAt) {
    await wait(LOOK_EVERY_MS / 5);
    open = await unsettled(ledgers);
  }
  return open;
}

interface Settles {
  /** Calls that have come to their end. */
  readonly ended: number;
  readonly debits: number;
}

async function settlesOf(ledgers: Ledgers): Promise<Settles> {
  const { totals } = await ledgers.calls();
  // Read second: what a call that has ended took is in it.
  const { debits } = await ledgers.theirs();
  return { ended: totals.settleCalls - totals.inProgress, debits: debits.length };
}

/** Each call that came since has failed, whether it took the money or not; on a busy machine the first comes late. */
async function untilBothWays(ledgers: Ledgers, before: Settles) {
  let seen = { refused: 0, silent: 0 };
  await untilHolds(async () => {
    const now = await settlesOf(ledgers);
    const silent = now.debits - before.debits;
    seen = { silent, refused: now.ended - before.ended - silent };
    return seen.refused > 0 && seen.silent > 0;
  });
  return seen;
}

/** @returns false when the patience ran out first */
async function untilSettled(
  ledgers: Ledgers,
  onLook: (open: readonly OurLine[], settled: number) => void = () => undefined,
): Promise<boolean> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const ours = await ledgers.ours();
    const open = ours.filter(({ status }) => status !== 'settled');
    onLook(open, ours.length - open.length);
    if (open.length === 0) return true;
    if (performance.now() > giveUpAt) return false;
    await wait(LOOK_EVERY_MS);
  }
}

async function compareSums(ledgers: Ledgers, narrator: Narrator, promise: string): Promise<void> {
  const ours = (await ledgers.ours()).filter(({ status }) => status === 'settled');
  const { totals } = await ledgers.theirs();
  const theirSum = BigInt(totals.debited);
  narrator.check(
    promise,
    sumOf(ours) === theirSum && ours.length === totals.debits,
    `ours ${ours.length} charges, ${usdc(sumOf(ours))}; theirs ${totals.debits} debits, ${usdc(theirSum)}`,
  );
}

async function breakSettles(sandbox: string): Promise<void> {
  const rules = [{ kinds: ['server_error', 'reset_after_commit'] }];
  await ask(`${sandbox}/_sandbox/faults`, { method: 'PUT', body: { seed: 402, rules } });
}
