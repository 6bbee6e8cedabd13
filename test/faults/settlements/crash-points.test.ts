import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { PaymentCredential } from '../../../sandbox/payer/credential.js';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import { marketplaceOperations, settlementOperations } from '../../support/ledger-operations.js';
import type { CrashOrder } from '../../support/processes/start-process.js';
import { named as nameIt } from '../../support/sessions/naming.js';
import { credentialFor, pay, type Received, served, ticksIn } from '../../support/sessions/paying.js';
import { type CrashWorld, startCrashWorld } from '../../support/settlements/crash-world.js';
import { expectLedgersEqual, type OurRow, ourRows, sql } from '../../support/settlements/ledger-comparison.js';
import { endOrphanedSweeps } from '../../support/sweeps.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sampleOf } from '../../support/whole-or-sample.js';

/** Every commit, send and answer between a payment and its settlement, by who makes it. */
const PATH = {
  server: [
    'authServer.verify',
    'ledger.openSession',
    'ledger.commitSessions.checkpoint',
    'ledger.commitSessions.close',
    'ledger.startable',
    'ledger.recordDeliveries',
  ],
  worker: ['ledger.claimSettlements', 'authServer.settle', 'ledger.recordAttempts'],
  sweep: ['ledger.abandonedSessions', 'ledger.closeAbandoned', 'ledger.dueSettlements', 'ledger.markStarted'],
} as const;

/** Operations that no payment on these routes depends on; whoever adds one to the ledger has to say where it belongs. */
const BESIDE_THE_PATH: Readonly<Record<string, string>> = {
  'authServer.createPaymentRequest': 'before there is a payment',
  'authServer.supported': 'before there is a payment',
  'ledger.anchorMoment': 'reads',
  'ledger.changedHeads': 'reads',
  'ledger.countEvents': 'reads',
  'ledger.decisionsNotTaken': 'tells a setting',
  'ledger.lastAnchorMark': 'reads',
  'ledger.knowsAnchor': 'reads',
  'ledger.markAnchor': 'an anchor moves no money: anchors.test.ts',
  ...Object.fromEntries(
    [
      'noteWhoIsAsked',
      'registerDestinations',
      'untold',
      'makeNoticeMessage',
      'dueNoticeMessages',
      'pruneNotices',
      'beginDelivery',
      'recordDelivery',
      'destinationIsThere',
      'destinationStates',
    ].map((name) => [`ledger.${name}`, 'a message moves no money: notifications-killed.test.ts']),
  ),
  'ledger.assertReady': 'before the process does anything',
  'ledger.missingKeyIds': 'before the process does anything',
  'ledger.schemaState': 'before the process does anything',
  'ledger.requestIdSecret': 'before the server takes payments; one statement, and the next start finds the same',
  'ledger.takeLease': 'before the server takes payments; a lease that nobody uses lapses',
  'ledger.renewLease': 'a death shortly before or after it is a death between two payments',
  'ledger.endLease': 'the end of a server without payments',
  'ledger.closeState': 'asked only when the answer to a commit was lost: outages-of-postgres.test.ts',
  'ledger.giveUpSessions': 'asked only when the answer to a commit was lost: outages-of-postgres.test.ts',
  'ledger.takeBackClose':
    'one statement; a death before it leaves billed what did not leave, with its delivery unknown',
  'ledger.findEarlierUse': 'reads',
  'ledger.findNamedAnswer': 'reads',
  'ledger.hadAgain': 'one statement; a death after it leaves billed what nobody takes back, and it is had again',
  'ledger.firstInTurn': 'reads',
  'ledger.giveAnswer': 'settled before release: settle-first.test.ts has what follows',
  'ledger.takeAnswer': 'settled before release: settle-first.test.ts has what follows',
  'ledger.answerGiven': 'settled before release: settle-first.test.ts has what follows',
  'ledger.answerNotGiven': 'settled before release: settle-first.test.ts has what follows',
  'ledger.createSettlement': 'the API: its answer follows the one commit, and a repeat finds it',
  'ledger.findSettlement': 'reads',
  'ledger.settlementLookup': 'reads',
  'ledger.settlementStopped': 'reads, and only for a capture; a death there is a death between the claim and the send',
  'ledger.openCapture': 'one statement; captures-killed.test.ts has what follows',
  'ledger.payFromChannel': 'a payment from a channel: channels-killed.test.ts',
  'ledger.commitChannelRequests': 'a payment from a channel: channels-killed.test.ts',
  'ledger.channelRequestState': 'asked only when the answer to a commit was lost',
  'ledger.giveUpChannelRequests': 'asked only when the answer to a commit was lost',
  'ledger.recordChannelDeliveries':
    'what became of a response; a death before it leaves `unknown`, which is what we then know',
  'ledger.requestClose': 'one transaction; a repeat of the same close finds it done',
  'ledger.recordChainState': 'one statement; read again at the next look',
  'ledger.abandonedRequests': 'reads',
  'ledger.closeAbandonedRequest': 'one transaction; found again by the next sweep',
  'ledger.captureWhenDue': 'one transaction; found again by the next sweep',
  'ledger.channelsToLookAt': 'reads',
  'ledger.channelsToRead': 'one statement; without it the channel is read sooner',
  'ledger.lookAgainIn': 'one statement; without it the channel is looked at sooner',
  'ledger.archiveSettlements': 'a mark on what is finished, and how far it came, in one transaction',
  'ledger.archiveOrders': 'the same of orders',
  'ledger.pruneChannels': 'housekeeping in one statement',
  'ledger.askAboutSession': 'one transaction; found again by the next sweep',
  'ledger.closeReadable': 'one transaction; found again by the next sweep',
  'ledger.stillUnreadable': 'one statement; without it the reason is an older one',
  'ledger.unreadableSession': 'reads',
  'ledger.closeVoucherChannel': 'one transaction; a repeat of the same close finds it done',
  'ledger.beginTopUp': 'one statement; a repeat of the same top-up finds it',
  'ledger.answeredByVoucher': 'reads',
  'ledger.standingOf': 'reads',
  'ledger.endChannelRequests': 'one statement; made again at the next look at a closing channel',
  'ledger.findReusableChannel': 'reads',
  'ledger.findChannel': 'reads',
  'ledger.listSettlements': 'reads',
  'ledger.figures': 'reads',
  'ledger.crowded': 'reads',
  'ledger.busyProviders': 'reads',
  'ledger.openBreakers': 'reads',
  'ledger.decide': 'a person decides: its own transaction',
  'ledger.approve': 'a person decides: its own transaction',
  'ledger.decisionItem': 'reads',
  'ledger.unblock': 'housekeeping in one statement',
  'ledger.eraseOverdue': 'housekeeping in one statement',
  'ledger.eraseNamedAnswers': 'housekeeping in one statement',
  'ledger.reseal': 'housekeeping, a row at a time',
  'ledger.sweepStarted': 'a figure for the alert',
  'ledger.sweepSucceeded': 'a figure for the alert',
  'ledger.sampleFigures': 'one statement; without it a picture lacks a minute',
  'ledger.openConsoleSession': 'a person signs in: one statement, and without it he signs in again',
  'ledger.endConsoleSession': 'a person signs out: one statement, and a repeat finds it done',
  'ledger.pauseProvider': 'a person pauses: its own transaction, and a repeat finds it paused',
  'ledger.resumeProvider': 'a person resumes: its own transaction; what waited is due within a minute anyway',
  'ledger.setStripeRate': 'a person says how fast: one transaction, and a repeat says the same',
  'ledger.resetStripeRate': 'a person takes that back: one transaction, and a repeat finds it done',
  'ledger.replayWebhook': 'a person asks: one transaction, and the sweep finds the event',
  ...Object.fromEntries(
    [
      'consoleSession',
      'pauses',
      'waitingDecision',
      'settlementCall',
      'explainedChannel',
      'findItems',
      'findNamedItems',
      'callDetails',
      'storyOf',
      'settlementEvents',
      'listChannels',
      'listWebhooks',
      'listDecisions',
      'waitingItems',
      'newestSeq',
      'changesAfter',
      'itemSummaries',
      'lastWord',
      'settlementLinks',
      'overviewFacts',
      'stripeRate',
    ].map((name) => [`ledger.${name}`, 'reads, for persons']),
  ),
};

interface Mode {
  readonly name: string;
  readonly path: string;
  readonly price: number;
  readonly pay: Omit<PayOptions, 'account'>;
  /** The client names its payment: it has its answer whatever dies. */
  readonly named?: true;
}
const STEP = 1_000;
const MODES: readonly Mode[] = [
  { name: 'buffered x402', path: '/demo/fixed', price: 10_000, pay: { protocol: 'x402', scheme: 'exact' } },
  {
    name: 'named x402',
    path: '/demo/fixed',
    price: 10_000,
    pay: { protocol: 'x402', scheme: 'exact' },
    named: true,
  },
  { name: 'metered ATXP', path: '/demo/metered?n=3', price: 3 * STEP, pay: { protocol: 'atxp' } },
  { name: 'streamed MPP', path: '/demo/stream?n=3', price: 3 * STEP, pay: { protocol: 'mpp', intent: 'session' } },
];

/** In one cell of the matrix the killed sweep is left to Temporal, which misses its heartbeat. */
const SWEEP_HEALS_ALONE = 'worker after ledger.markStarted';

type Order = Omit<CrashOrder, 'newerThan'>;
interface Point {
  readonly name: string;
  readonly server?: Order;
  readonly worker?: Order;
  /** The worker dies while the auth server has committed and its answer is on the way. */
  readonly inFlight?: true;
}

const MOMENTS = ['before', 'after'] as const;
const named = (who: string, { moment, call, nth }: Order) => `${who} ${moment} ${call}${nth ? ` #${nth}` : ''}`;
const both = (call: string, nth?: number) => MOMENTS.map((moment): Order => ({ call, moment, nth }));

/** Two deaths: what only the sweep takes up has lost its server first. */
function sweepPoint(order: Order): Point {
  const undispatched = order.call === 'ledger.markStarted' || order.call === 'ledger.dueSettlements';
  const server: Order = { call: undispatched ? 'ledger.startable' : 'ledger.commitSessions.close', moment: 'before' };
  return { name: `${named('server', server)}, then ${named('worker', order)}`, server, worker: order };
}

function pointsOf(mode: Mode): readonly Point[] {
  const streamed = mode.path.includes('stream');
  const server = PATH.server.flatMap((call) => {
    if (call !== 'ledger.commitSessions.checkpoint') return both(call);
    return streamed ? [...both(call), ...both(call, 2)] : [];
  });
  return [
    { name: 'nobody' },
    ...server.map((order) => ({ name: named('server', order), server: order })),
    ...PATH.worker.flatMap((call) => both(call).map((order) => ({ name: named('worker', order), worker: order }))),
    { name: 'worker while the answer is on its way', inFlight: true },
    ...PATH.sweep.flatMap((call) => both(call).map(sweepPoint)),
  ];
}

/** What this run does of them. */
const CELLS = new Map(
  MODES.map((mode) => [
    mode,
    sampleOf(`crash points of ${mode.name}`, pointsOf(mode), {
      nameOf: ({ name }) => name,
      always: ({ name }) => name === 'nobody' || name.endsWith(SWEEP_HEALS_ALONE),
      oneIn: 12,
    }),
  ]),
);
const cellsOf = (mode: Mode): readonly Point[] => CELLS.get(mode) ?? [];

interface Outcome {
  readonly payer: string;
  readonly first: Received;
  /** The same credential once more, after the restart, by a client that got no whole response. */
  readonly again: Received | undefined;
}

async function run(world: CrashWorld, mode: Mode, point: Point): Promise<Outcome> {
  const account = payerAccount(`${mode.name} ${point.name}`.replaceAll(/[^A-Za-z0-9]+/g, '-'));
  const payer = payerOnLedger(account, mode.pay.protocol);
  const url = `${world.server.url}${mode.path}`;
  const unnamed = await credentialFor(url, account, mode.pay);
  const credential = mode.named ? { ...unnamed, ...nameIt(unnamed) } : unnamed;
  if (point.inFlight) world.sandbox.setFaults([{ kinds: ['hang_after_commit'] }]);
  if (point.server) await world.server.arm(point.server);
  if (point.worker) await world.worker.arm(point.worker);
  const first = await payOnceLookedAt(url, credential);
  if (point.inFlight) {
    await until('the auth server has committed', () => world.sandbox.ledger().payers[payer], { limitMs: 20_000 });
    world.worker.kill('SIGKILL');
    world.sandbox.setFaults([]);
  }
  if (point.server) {
    await world.restart('server').catch((error: Error) => {
      throw new Error(`${error.message}; the client was answered ${first.status}: ${first.body}`, { cause: error });
    });
  }
  if (point.server?.call === 'ledger.startable' && point.worker) await hurry(world, payer);
  if (point.worker || point.inFlight) await world.restart('worker');
  if (point.server && point.worker && !point.name.endsWith(SWEEP_HEALS_ALONE)) {
    await endOrphanedSweeps(temporal.address, world.namespace);
  }
  return { payer, first, again: served(first) ? undefined : await payOnceLookedAt(url, credential) };
}

/**
 * A server that could not renew its lease in time, as on a busy machine, takes no payment for a moment and says so; nobody
 * can die of a payment that was never looked at. Whoever has named an answer that a dead server was making is told to come back.
 */
const payOnceLookedAt = (url: string, credential: PaymentCredential): Promise<Received> =>
  until(
    'the payment is looked at',
    async () => {
      const received = await pay(url, credential);
      return !/"(payment_unavailable|answer_under_way)"/.test(received.body) && received;
    },
    { limitMs: 20_000, everyMs: 250 },
  );

/** Instead of waiting for the time that a server has to dispatch what it closed. */
const hurry = (world: CrashWorld, payer: string) =>
  sql(world.databaseUrl, `UPDATE settlements SET next_check_at = clock_now() WHERE payer = $1`, [payer]);

interface Finished {
  readonly world: CrashWorld;
  readonly outcomes: ReadonlyMap<string, Outcome | Error>;
  readonly rows: readonly OurRow[];
  /** What server and worker called for one payment while nobody died. */
  readonly calls: readonly string[];
}

/** One payment after the other, each with a death of its own; then everything is left to itself until nothing waits. */
async function runAll(mode: Mode): Promise<Finished> {
  const namespace = mode.name.replaceAll(' ', '-').toLowerCase();
  const world = await startCrashWorld({ temporalAddress: temporal.address, namespace });
  const outcomes = new Map<string, Outcome | Error>();
  let calls: readonly string[] = [];
  for (const point of cellsOf(mode)) {
    // A death that never came is the failure of its own cell, and not of all that follow.
    outcomes.set(point.name, await run(world, mode, point).catch((error: Error) => error));
    if (point.name !== 'nobody') continue;
    await world.finished(20_000);
    calls = [...(await world.server.calls()), ...(await world.worker.calls())];
  }
  await world.finished(90_000);
  return { world, outcomes, calls, rows: await ourRows(world.databaseUrl) };
}

let temporal: DevServer;
const finished = new Map<string, Finished>();
beforeAll(async () => {
  temporal = await startDevServer();
  await Promise.all(MODES.map(async (mode) => finished.set(mode.name, await runAll(mode))));
}, 900_000);
afterAll(async () => {
  for (const { world } of finished.values()) await world.stop();
  await temporal.dispose();
});

it('knows every operation of the ledger: it is a crash point, or it says why not', () => {
  const points = Object.values(PATH)
    .flat()
    .map((call) => call.replace(/\.(checkpoint|close)$/, ''));
  const known = new Set([...points, ...Object.keys(BESIDE_THE_PATH)]);
  const there = new Set(settlementOperations());
  expect([...there].filter((name) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => name.startsWith('ledger.') && !there.has(name))).toEqual([]);
});

describe.each(MODES.map((mode) => [mode.name, mode] as const))('%s', (_name, mode) => {
  const own = () => finished.get(mode.name)!;

  it('calls nothing on the way that is no crash point', () => {
    const beside = [...Object.keys(BESIDE_THE_PATH), ...marketplaceOperations()];
    const known = new Set<string>([...Object.values(PATH).flat(), ...beside]);
    expect(own().calls).toEqual(expect.arrayContaining(['ledger.openSession', 'authServer.settle']));
    expect(own().calls.filter((call) => !known.has(call))).toEqual([]);
  });

  it('has the same ledger as the auth server, each charge moved once by the same bytes, and asks nobody', () => {
    const { rows, world } = own();
    expectLedgersEqual(rows, world.sandbox);
    expect(rows.filter(({ status }) => status !== 'settled' && status !== 'released')).toEqual([]);
  });

  it.each(cellsOf(mode).map(({ name }) => name))(
    'is never served unbilled and never billed twice when there dies: %s',
    (name) => {
      const outcome = own().outcomes.get(name)!;
      if (outcome instanceof Error) throw outcome;
      const { payer, first, again } = outcome;
      const mine = own().rows.filter((row) => row.payer === payer && row.status === 'settled');
      const responses = [first, again].filter((response) => response !== undefined);
      const whole = responses.filter(served).length;
      expect(whole).toBeLessThanOrEqual(1);
      expect(mine.length).toBeLessThanOrEqual(1);
      const billed = Number(mine[0]?.spent ?? 0);
      // Never served and unbilled; a stream may run ahead of the ledger by one step.
      if (whole === 1) expect(billed).toBe(mode.price);
      for (const response of responses) expect(billed).toBeGreaterThanOrEqual((ticksIn(response) - 1) * STEP);
      // Billed and unserved is possible in the window between commit and release, and then it says so.
      if (billed > 0) expect(mine[0]?.delivery).toMatch(whole === 1 ? /^(delivered|unknown)$/ : /^(unknown|aborted)$/);
      if (mode.named) expect(whole).toBe(1);
      // A repeat is served where nothing was taken, and else told of its charge; never asked for money again.
      expect([200, 409]).toContain(again?.status ?? 200);
      if (again?.status === 409) expect(chargesOf(own().rows, payer)).toContain(again.headers.get('settlement-id'));
    },
  );
});

const chargesOf = (rows: readonly OurRow[], payer: string): string[] =>
  rows.filter((row) => row.payer === payer).map(({ id }) => id);
