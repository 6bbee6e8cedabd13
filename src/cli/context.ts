import type { Resolution, ResolutionDependencies } from '../calls/decisions/decide.js';
import type { Config } from '../config/config.js';
import type { Clock } from '../domain/clock.js';
import type { ProviderProbe } from '../domain/doctor/providers.js';
import type { DeliveryOutcome } from '../domain/notifications/delivery.js';
import type { Destination } from '../domain/notifications/destinations.js';
import type { AnchorStore } from '../domain/proof/anchors.js';
import type { Ledger } from '../ledger/ledger.js';

/** What commands may touch; the composition root hands it in, tests hand in their own. */
export interface CliContext {
  /** One line on standard output: the answer of a command. */
  readonly out: (line: string) => void;
  /** Resolves when whoever reads standard output has taken so much that more may be written. */
  readonly drained: () => Promise<void>;
  /** One line on standard error: progress, and what went wrong. */
  readonly err: (line: string) => void;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** From now on Ctrl-C does not end the process but aborts this. */
  readonly interruption: () => AbortSignal;
  /** Standard output is a terminal that can be cleared. */
  readonly redraws: boolean;
  readonly clock: Clock;
  /** Of the operating system; without a token, a decision is recorded under it, as claimed. */
  readonly userName: () => string;
  /** Of whoever decides: the content of that file, or MAKEGOOD_TOKEN; undefined: none. @throws CommandRefused */
  readonly token: (file: string | undefined) => string | undefined;
  /** @throws ConfigError */
  readonly readConfig: () => Config;
  /** Needs only DATABASE_URL. @throws ConfigError */
  readonly readOperatorConfig: () => Config;
  /** Where a worker has anchored the heads of the event chains. */
  readonly anchors: (directory: string) => AnchorStore;
  /** Defaults of the sandbox command. */
  readonly sandboxDefaults: {
    readonly port: string | undefined;
    readonly stateDir: string | undefined;
    readonly hyperswitchPort?: string | undefined;
    readonly hyperswitchWebhookUrl?: string | undefined;
    readonly stripePort?: string | undefined;
    readonly stripeWebhookUrl?: string | undefined;
    readonly tempoPort?: string | undefined;
  };
  /** Resolve when the process was told to stop and has stopped. */
  readonly runServer: (config: Config) => Promise<void>;
  readonly runWorker: (config: Config) => Promise<void>;
  /** @throws CommandRefused where another process has the same state */
  readonly runSandbox: (options: SandboxOptions) => Promise<void>;
  /** One harmless read of every provider that is set, each given up after a few seconds. */
  readonly probe: (config: Config, knownPayment: string | null) => Promise<readonly ProviderProbe[]>;
  /** Sends a message that tells of no item to a destination, once. */
  readonly tryDestination: (config: Config, destination: Destination) => Promise<DeliveryOutcome>;
  /** The way of every decision, the same as the API's: asks the provider where a decision needs it, then this ledger. */
  readonly resolution: (config: Config, ledger: DecidingLedger) => Promise<Resolution>;
}

/** The stand-ins to run, and where: one that is given no port does not run. */
export interface SandboxOptions {
  readonly stateDir: string;
  readonly ports: {
    readonly authServer: number;
    readonly hyperswitch: number | undefined;
    readonly stripe: number | undefined;
    readonly tempo: number | undefined;
  };
  /** Where events are sent; nowhere where it is not said. */
  readonly hyperswitchWebhookUrl?: string | undefined;
  readonly stripeWebhookUrl?: string | undefined;
}

/** What a decision needs of the ledger, tokens for questions to Stripe and whose keys they are asked with counted. */
export type DecidingLedger = ResolutionDependencies['ledger'] &
  Pick<
    Ledger,
    | 'takeToken'
    | 'returnToken'
    | 'takeHyperswitchTurn'
    | 'pinStripeAccount'
    | 'parkProvider'
    | 'unparkProvider'
    | 'pinHyperswitch'
    | 'knownPayment'
    | 'hyperswitchIsOurs'
    | 'profilesOfOrders'
  >;

/** The command was understood and cannot be done; the text is for the person who typed it. */
export class CommandRefused extends Error {}
