import type { Clock } from '../domain/clock.js';
import type { SettlementId } from '../domain/ids.js';
import type { SettleNowOutcome } from '../domain/settlements/settlement.js';
import type { Verifier } from './admission.js';
import { type ChannelsDependencies, createChannelParts } from './channels/channels.js';
import { expressPaidSessions, type PaidSession } from './frameworks/express.js';
import { createCommitQueue } from './gate/commit-queue.js';
import { createDeliveryRecorder } from './gate/delivery-recorder.js';
import { createGivenUpSessions } from './gate/given-up-sessions.js';
import { createLeaseKeeper } from './gate/lease-keeper.js';
import { nodeProblem } from './gate/node-trial.js';
import type { SupportedSchemes } from './offers/offers.js';
import type { PaymentRequests } from './offers/payment-requests.js';
import { createRequestIdStock } from './offers/request-id-stock.js';
import { createRequestIds } from './offers/request-ids.js';
import type { PaidSessionOptions } from './offers/route-options.js';
import { createSupportedSchemes } from './offers/supported-schemes.js';
import { createPaidRoute, type PaidRoute } from './paid-session.js';
import type { SessionLedger } from './session-ledger.js';
import type { SessionLog } from './session-log.js';

export { type CorsOptions, createCors } from './cors.js';
export { type PublishedRoute, paidPaths } from './discovery/discovery.js';
export type { PaidSession } from './frameworks/express.js';
export type { PaymentSession } from './gate/payment-session.js';
export type { PaidSessionOptions, ProtocolTerms } from './offers/route-options.js';

/** The auth server as paid sessions use it; settling is not among it. */
export interface SessionAuthServer extends Verifier, PaymentRequests {
  /** What cannot be read now is not there. */
  supported(): Promise<SupportedSchemes>;
}

export interface SessionSettings {
  /** SETTLEMENT_CREDENTIAL_VALIDITY, SETTLEMENT_MIN_RETRY_WINDOW, SETTLEMENT_CHECKPOINT_INTERVAL in milliseconds. */
  readonly credentialValidityMs: number;
  readonly minRetryWindowMs: number;
  readonly checkpointIntervalMs: number;
  /** RELEASED_LIMIT: answers that may cost a payer nothing, in an hour, and those under way; default 60. */
  readonly releasedLimit?: number;
  /** SETTLEMENT_CHECKPOINT_AMOUNT, atomic units. */
  readonly checkpointAmount: bigint;
  /** SETTLE_FIRST_BUFFER in bytes; default 1 MiB. */
  readonly settleFirstBufferBytes?: number;
  /** How long a request waits for the verify call; default 10 s. */
  readonly verifyTimeoutMs?: number;
  /** How long a 402 waits for what it can do without; default 40 ms. */
  readonly challengePatienceMs?: number;
  readonly leaseMs?: number;
  /** How long an unknown commit is looked into before the response is cut off; default 5 s. */
  readonly unknownCommitMs?: number;
}

export interface PaidSessionsDependencies {
  readonly ledger: SessionLedger;
  /** Undefined: nothing is sold through it; a route that sells by nothing else answers 503 not_configured. */
  readonly authServer: SessionAuthServer | undefined;
  /** Undefined: routes do not sell by channels. */
  readonly channels?: ChannelsDependencies | undefined;
  readonly authServerUrl?: string;
  readonly destinationAccountId?: string;
  readonly settings: SessionSettings;
  readonly secrets: {
    /** MPP_SECRET_KEY; undefined: routes cannot offer MPP. */
    readonly mpp?: string;
    /** Proves ATXP payment request ids where the ledger keeps nothing for that yet; from then on what it keeps does. */
    readonly requestIds: string;
  };
  /** Names this process in the table of leases. */
  readonly holder: string;
  readonly publicUrl?: string;
  readonly clock: Clock;
  readonly log: SessionLog;
  /** Settles one closed session now, for routes that settle before release; bounded in time by whoever hands it in. */
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  /** Starts the settlement of a closed session; never awaited. */
  readonly dispatch: (id: SettlementId) => unknown;
  /** Why responses cannot be held back in this process; default: it is tried. */
  readonly nodeProblem?: () => Promise<string | undefined>;
}

export interface PaidSessions {
  /**
   * For every framework; each has its own form of it in `frameworks`.
   * @throws Error naming the option, at definition time
   */
  paidRoute<Asked>(options: PaidSessionOptions<Asked>): PaidRoute<Asked>;
  readonly paidSession: PaidSession;
  /**
   * Tries whether this Node can hold responses back, and takes the lease under which sessions are opened; until then, and
   * for ever where it cannot, paid routes answer 503.
   */
  start(): Promise<void>;
  /** False while paid responses could not be served: no lease, or half of it passed unrenewed. */
  ready(): boolean;
  /** After the last response: writes what is still on its way and gives the lease back. */
  stop(): Promise<void>;
}

export function createPaidSessions(dependencies: PaidSessionsDependencies): PaidSessions {
  const { ledger, authServer, settings, secrets, clock, log, destinationAccountId } = dependencies;
  const { releasedLimit = DEFAULT_RELEASED_LIMIT } = settings;
  const givenUp = createGivenUpSessions(ledger);
  const commits = createCommitQueue({
    ledger,
    unknownForMs: settings.unknownCommitMs,
    onGivenUp: (session) => givenUp.note(session),
  });
  const deliveries = createDeliveryRecorder(ledger);
  const lease = createLeaseKeeper({
    ledger,
    holder: dependencies.holder,
    leaseMs: settings.leaseMs,
    clock,
    onEvent: (event, error) => {
      if (event !== 'lease_taken')
        log.warn({ event, err: error }, 'the lease on payment sessions is in danger: responses wait or are cut off');
    },
  });
  let requestIdSecret = secrets.requestIds;
  const requestIds = createRequestIds(() => requestIdSecret);
  const mpp =
    secrets.mpp === undefined ? undefined : { secretKey: secrets.mpp, realm: realmOf(dependencies.publicUrl) };
  const common = { requestIds, mpp, clock, credentialValidityMs: settings.credentialValidityMs, destinationAccountId };
  const throughAuthServer = authServer && {
    admission: {
      ledger,
      verifier: authServer,
      lease,
      commits,
      match: common,
      minRetryWindowMs: settings.minRetryWindowMs,
      releasedLimit,
      verifyTimeoutMs: settings.verifyTimeoutMs ?? 10_000,
      settleNow: dependencies.settleNow,
      dispatch: dependencies.dispatch,
      clock,
      log,
    },
    challenge: {
      ...common,
      requestIdStock: createRequestIdStock(authServer, (detail) =>
        log.warn({ detail }, 'no payment request can be made: 402s go without ATXP until the auth server answers'),
      ),
      authServerUrl: dependencies.authServerUrl ?? '',
    },
    supportedSchemes: createSupportedSchemes(() => authServer.supported()),
    deliveries,
    settleNow: dependencies.settleNow,
    dispatch: dependencies.dispatch,
  };
  const channels =
    dependencies.channels &&
    mpp &&
    createChannelParts(dependencies.channels, {
      mpp,
      lease,
      clock,
      log,
      credentialValidityMs: settings.credentialValidityMs,
      releasedLimit,
      unknownCommitMs: settings.unknownCommitMs,
    });
  let holdsBack = true;
  const paidRoute: PaidSessions['paidRoute'] = (options) =>
    createPaidRoute(options, {
      authServer: throughAuthServer,
      channels,
      bounds: settings,
      checkpointAmount: settings.checkpointAmount,
      checkpointIntervalMs: settings.checkpointIntervalMs,
      settleFirstBufferBytes: settings.settleFirstBufferBytes ?? DEFAULT_SETTLE_FIRST_BUFFER,
      publicUrl: dependencies.publicUrl,
      challengePatienceMs: settings.challengePatienceMs,
      holdsBack: () => holdsBack,
      log,
    });
  return {
    paidRoute,
    paidSession: expressPaidSessions(() => ({ paidRoute, publicUrl: dependencies.publicUrl })),
    async start() {
      const problem = await (dependencies.nodeProblem ?? nodeProblem)();
      holdsBack = problem === undefined;
      if (!holdsBack) return log.error({ problem }, 'nothing is sold, and paid routes answer 503');
      requestIdSecret = await ledger.requestIdSecret(secrets.requestIds);
      return lease.start();
    },
    ready: () => lease.mayWrite(),
    async stop() {
      throughAuthServer?.challenge.requestIdStock.stop();
      await commits.idle();
      await deliveries.flush();
      await channels?.idle();
      await lease.stop();
    },
  };
}

const DEFAULT_RELEASED_LIMIT = 60;
const DEFAULT_SETTLE_FIRST_BUFFER = 1_048_576;

/** MPP challenges are valid in one realm; all servers of a deployment share it. A port is none of it (npm mppx). */
const realmOf = (publicUrl: string | undefined): string =>
  publicUrl === undefined ? 'makegood' : new URL(publicUrl).hostname;
