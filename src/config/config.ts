import type { z } from 'zod';
import type { ApprovalThreshold } from '../domain/decisions/approval-threshold.js';
import type { DisputeRules } from '../domain/marketplace/disputes.js';
import type { FeePolicy } from '../domain/marketplace/lines.js';
import type { PaymentProvider } from '../domain/marketplace/marketplace.js';
import type { OffsetRules } from '../domain/marketplace/offsets.js';
import type { ApiToken } from '../domain/roles.js';
import type { EncryptionKey, TrustedProxies } from './config-values.js';
import { CONFIG_VARIABLES, ENVIRONMENT, type Environment, type Values, type VariableName } from './config-variables.js';
import { type NotificationSettings, notificationsOf } from './notification-variables.js';
import type { HyperswitchSettings } from './payment-variables.js';

export { CONFIG_VARIABLES, type ConfigVariable } from './config-variables.js';

/** The settings as the product uses them. Names that end in `Ms` are milliseconds; a group that is not set is undefined. */
export interface Config {
  readonly databaseUrl: string;
  /** The first encrypts, all of them decrypt. */
  readonly credentialKeys: readonly EncryptionKey[];
  readonly apiTokens: readonly ApiToken[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Undefined: no traces, and nothing of them is loaded. */
  readonly traces: { readonly url: string } | undefined;
  readonly http: {
    readonly port: number;
    readonly host: string;
    readonly publicUrl: string | undefined;
    /** Undefined: the address of the connection is the client's. */
    readonly trustProxy: TrustedProxies | undefined;
    readonly corsOrigins: readonly string[];
    readonly rateLimit: { readonly windowMs: number; readonly max: number; readonly anonymousMax: number };
  };
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly taskQueue: string;
    readonly uiUrl: string | undefined;
    readonly apiKey: string | undefined;
    /** PEM files as read; undefined: no TLS, unless there is an API key. */
    readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
  };
  readonly workerMetricsPort: number | undefined;
  /** Undefined: the heads of the event chains are anchored nowhere. */
  readonly auditAnchorDir: string | undefined;
  /** Undefined: nothing is put aside. */
  readonly retentionAfterMs: number | undefined;
  /** Undefined: nobody is told of what needs a person. */
  readonly notifications: NotificationSettings | undefined;
  /** How often the ledger is compared with its providers. */
  readonly reconcileIntervalMs: number;
  /** Nodes that are asked whether x402 authorizations were used, by network (CAIP-2). */
  readonly x402RpcUrls: ReadonlyMap<string, string>;
  readonly authServer:
    | { readonly url: string; readonly appName: string | undefined; readonly destinationAccountId: string | undefined }
    | undefined;
  readonly settlement: {
    readonly backoffBaseMs: number;
    readonly backoffMaxMs: number;
    readonly httpTimeoutMs: number;
    readonly sweepIntervalMs: number;
    readonly overflowBacklog: number;
    readonly maxBatch: number;
    readonly maxRps: number;
    readonly checkpointAmount: bigint;
    readonly checkpointIntervalMs: number;
    readonly credentialValidityMs: number;
    readonly minRetryWindowMs: number;
    readonly releasedLimit: number;
    readonly settleFirstBufferBytes: number;
  };
  readonly approvalThreshold: ApprovalThreshold;
  readonly refundFee: FeePolicy;
  readonly releaseOverdueMs: number;
  readonly offsets: OffsetRules;
  readonly stripe:
    | {
        readonly secretKey: string;
        readonly apiBase: string | undefined;
        /** Requests a second, all endpoints together; undefined: what Stripe allows the mode of the key. */
        readonly maxRps: number | undefined;
        readonly webhookSecrets: readonly string[] | undefined;
      }
    | undefined;
  readonly hyperswitch: HyperswitchSettings | undefined;
  readonly mppSecretKey: string | undefined;
  readonly tempo:
    | {
        readonly rpcUrl: string;
        readonly chainId: number;
        readonly currency: string;
        readonly payeeKey: string;
        /** Atomic units, and how long anything earned may wait for its capture. */
        readonly settleThreshold: bigint;
        readonly settleIntervalMs: number;
      }
    | undefined;
  /** Where payments of new orders are made. */
  readonly paymentProvider: PaymentProvider;
  readonly paymentExpiryMs: number;
  readonly captureOverdueMs: number;
  readonly disputes: DisputeRules;
  readonly reversal: RetrySettings & { readonly balanceHorizonMs: number };
  readonly transferRetry: RetrySettings;
}

interface RetrySettings {
  readonly enabled: boolean;
  /** After the first attempt. */
  readonly maxRetries: number;
  readonly checkIntervalMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly example: string;
}

/** The settings cannot be used. Names every wrong variable with an example; holds no value of a secret. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, problem, example }) => `  ${variable} ${problem}; example: ${variable}=${example}`,
    );
    super(`the settings cannot be used, nothing was started and no money was moved:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws ConfigError that lists every variable that is wrong, not only the first */
export function readConfig(env: Environment): Config {
  return read(env, ENVIRONMENT);
}

/** For an application that embeds paid routes: it serves none of our API, so it needs no tokens. */
export function readProcessConfig(): Config {
  const { API_TOKENS } = ENVIRONMENT.shape;
  return read(process.env, ENVIRONMENT.extend({ API_TOKENS: API_TOKENS.default([]) }));
}

/**
 * For commands on an operator's machine, which need the ledger and nothing else: the keys and tokens of the server may
 * be left out, and are then empty lists. What is set is still checked.
 */
export function readOperatorConfig(env: Environment): Config {
  const { CREDENTIAL_ENCRYPTION_KEY, API_TOKENS } = ENVIRONMENT.shape;
  return read(
    env,
    ENVIRONMENT.extend({
      CREDENTIAL_ENCRYPTION_KEY: CREDENTIAL_ENCRYPTION_KEY.default([]),
      API_TOKENS: API_TOKENS.default([]),
    }),
  );
}

function read(env: Environment, schema: z.ZodType<Values>): Config {
  const problems: ConfigProblem[] = [];
  const complain = (variable: string, problem: string) => {
    const example = CONFIG_VARIABLES.find(({ name }) => name === variable)?.example ?? '';
    problems.push({ variable, problem, example });
  };
  const values = schema.safeParse(env);
  for (const issue of values.error?.issues ?? []) complain(String(issue.path[0]), issue.message);
  checkGroups(env, complain);
  checkOrders(env, complain);
  if (!values.success || problems.length > 0) throw new ConfigError(problems);
  return toConfig(values.data);
}

type Complain = (variable: VariableName, problem: string) => void;

/** If any variable on the left is set, all on the right are needed: half a group is a mistake, not a choice. */
const GROUPS: readonly (readonly [set: readonly VariableName[], needed: readonly VariableName[]])[] = [
  [['STRIPE_WEBHOOK_SECRET'], ['STRIPE_SECRET_KEY']],
  [
    ['NOTIFY_EMAIL_TO', 'NOTIFY_ESCALATE_EMAIL_TO'],
    ['SMTP_URL', 'NOTIFY_EMAIL_FROM'],
  ],
  [
    ['HYPERSWITCH_BASE_URL', 'HYPERSWITCH_API_KEY', 'HYPERSWITCH_WEBHOOK_SECRET'],
    ['HYPERSWITCH_BASE_URL', 'HYPERSWITCH_API_KEY'],
  ],
  [
    ['TEMPO_RPC_URL', 'TEMPO_CURRENCY', 'TEMPO_PAYEE_KEY', 'TEMPO_CHAIN_ID'],
    ['MPP_SECRET_KEY', 'TEMPO_RPC_URL', 'TEMPO_CHAIN_ID', 'TEMPO_CURRENCY', 'TEMPO_PAYEE_KEY'],
  ],
  [
    ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'],
    ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'],
  ],
];

function checkGroups(env: Environment, complain: Complain): void {
  for (const [set, needed] of GROUPS) {
    const cause = set.find((name) => env[name]);
    if (!cause) continue;
    for (const name of needed) if (!env[name]) complain(name, `is missing while ${cause} is set`);
  }
}

/** The left one must not be above the right one. */
const ORDERS = [
  ['SETTLEMENT_BACKOFF_BASE', 'SETTLEMENT_BACKOFF_MAX', 'the first wait would be the longest'],
  ['REVERSAL_BACKOFF_BASE', 'REVERSAL_BACKOFF_MAX', 'the first wait would be the longest'],
  ['TRANSFER_RETRY_BACKOFF_BASE', 'TRANSFER_RETRY_BACKOFF_MAX', 'the first wait would be the longest'],
  ['SETTLEMENT_MIN_RETRY_WINDOW', 'SETTLEMENT_CREDENTIAL_VALIDITY', 'no credential would ever be accepted'],
] as const;

/** Reads the two alone, so that a wrong variable elsewhere hides nothing. */
function checkOrders(env: Environment, complain: Complain): void {
  for (const [low, high, why] of ORDERS) {
    const lowest = ENVIRONMENT.shape[low].safeParse(env[low]).data;
    const highest = ENVIRONMENT.shape[high].safeParse(env[high]).data;
    if (lowest !== undefined && highest !== undefined && lowest > highest) complain(low, `is above ${high}: ${why}`);
  }
}

function toConfig(values: Values): Config {
  return {
    databaseUrl: values.DATABASE_URL,
    credentialKeys: values.CREDENTIAL_ENCRYPTION_KEY,
    apiTokens: values.API_TOKENS,
    logLevel: values.LOG_LEVEL,
    traces: values.OTEL_EXPORTER_OTLP_ENDPOINT ? { url: values.OTEL_EXPORTER_OTLP_ENDPOINT } : undefined,
    http: {
      port: values.PORT,
      host: values.HOST,
      publicUrl: values.PUBLIC_URL,
      trustProxy: values.TRUST_PROXY,
      corsOrigins: values.CORS_ALLOWED_ORIGINS ?? [],
      rateLimit: {
        windowMs: values.RATE_LIMIT_WINDOW,
        max: values.RATE_LIMIT_MAX,
        anonymousMax: values.RATE_LIMIT_ANONYMOUS_MAX,
      },
    },
    temporal: temporalOf(values),
    workerMetricsPort: values.WORKER_METRICS_PORT,
    auditAnchorDir: values.AUDIT_ANCHOR_DIR,
    retentionAfterMs: values.RETENTION_AFTER,
    notifications: notificationsOf(values),
    reconcileIntervalMs: values.RECONCILE_INTERVAL,
    x402RpcUrls: values.X402_RPC_URLS ?? new Map<string, string>(),
    approvalThreshold: values.APPROVAL_THRESHOLD,
    refundFee: values.REFUND_FEE,
    settlement: settlementOf(values),
    ...providersOf(values),
    paymentProvider: values.PAYMENT_PROVIDER,
    paymentExpiryMs: values.PAYMENT_EXPIRY,
    captureOverdueMs: values.CAPTURE_OVERDUE,
    releaseOverdueMs: values.RELEASE_OVERDUE,
    offsets: { on: values.OFFSET === 'on', limitPercent: values.OFFSET_LIMIT },
    disputes: { policy: values.DISPUTE_POLICY, fees: values.DISPUTE_FEE ?? new Map<string, bigint>() },
    reversal: {
      enabled: values.REVERSAL_WORKER_ENABLED,
      maxRetries: values.REVERSAL_MAX_RETRIES,
      checkIntervalMs: values.REVERSAL_CHECK_INTERVAL,
      backoffBaseMs: values.REVERSAL_BACKOFF_BASE,
      backoffMaxMs: values.REVERSAL_BACKOFF_MAX,
      balanceHorizonMs: values.REVERSAL_BALANCE_HORIZON,
    },
    transferRetry: {
      enabled: values.TRANSFER_RETRY_ENABLED,
      maxRetries: values.TRANSFER_RETRY_MAX,
      checkIntervalMs: values.TRANSFER_RETRY_INTERVAL,
      backoffBaseMs: values.TRANSFER_RETRY_BACKOFF_BASE,
      backoffMaxMs: values.TRANSFER_RETRY_BACKOFF_MAX,
    },
  };
}

function temporalOf(values: Values): Config['temporal'] {
  const { TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: cert, TEMPORAL_TLS_KEY: key } = values;
  return {
    address: values.TEMPORAL_ADDRESS,
    namespace: values.TEMPORAL_NAMESPACE,
    taskQueue: values.TEMPORAL_TASK_QUEUE,
    uiUrl: values.TEMPORAL_UI_URL,
    apiKey: values.TEMPORAL_API_KEY,
    tls: ca || cert ? { ca, cert, key } : undefined,
  };
}

function settlementOf(values: Values): Config['settlement'] {
  return {
    backoffBaseMs: values.SETTLEMENT_BACKOFF_BASE,
    backoffMaxMs: values.SETTLEMENT_BACKOFF_MAX,
    httpTimeoutMs: values.SETTLEMENT_HTTP_TIMEOUT,
    sweepIntervalMs: values.SETTLEMENT_SWEEP_INTERVAL,
    overflowBacklog: values.SETTLEMENT_OVERFLOW_BACKLOG,
    maxBatch: values.SETTLEMENT_MAX_BATCH,
    maxRps: values.SETTLEMENT_MAX_RPS,
    checkpointAmount: values.SETTLEMENT_CHECKPOINT_AMOUNT,
    checkpointIntervalMs: values.SETTLEMENT_CHECKPOINT_INTERVAL,
    credentialValidityMs: values.SETTLEMENT_CREDENTIAL_VALIDITY,
    minRetryWindowMs: values.SETTLEMENT_MIN_RETRY_WINDOW,
    releasedLimit: values.RELEASED_LIMIT,
    settleFirstBufferBytes: values.SETTLE_FIRST_BUFFER,
  };
}

function providersOf(values: Values): Pick<Config, 'authServer' | 'stripe' | 'hyperswitch' | 'mppSecretKey' | 'tempo'> {
  const { AUTH_SERVER_URL, STRIPE_SECRET_KEY, HYPERSWITCH_BASE_URL, HYPERSWITCH_API_KEY } = values;
  const { TEMPO_RPC_URL, TEMPO_CHAIN_ID, TEMPO_CURRENCY, TEMPO_PAYEE_KEY } = values;
  return {
    authServer: AUTH_SERVER_URL
      ? { url: AUTH_SERVER_URL, appName: values.AUTH_APP_NAME, destinationAccountId: values.DESTINATION_ACCOUNT_ID }
      : undefined,
    stripe: STRIPE_SECRET_KEY
      ? {
          secretKey: STRIPE_SECRET_KEY,
          apiBase: values.STRIPE_API_BASE,
          maxRps: values.STRIPE_MAX_RPS,
          webhookSecrets: values.STRIPE_WEBHOOK_SECRET,
        }
      : undefined,
    hyperswitch:
      HYPERSWITCH_BASE_URL && HYPERSWITCH_API_KEY
        ? {
            baseUrl: HYPERSWITCH_BASE_URL,
            apiKey: HYPERSWITCH_API_KEY,
            webhookSecrets: values.HYPERSWITCH_WEBHOOK_SECRET,
            profileId: values.HYPERSWITCH_PROFILE_ID,
          }
        : undefined,
    mppSecretKey: values.MPP_SECRET_KEY,
    tempo:
      TEMPO_RPC_URL && TEMPO_CHAIN_ID && TEMPO_CURRENCY && TEMPO_PAYEE_KEY
        ? {
            rpcUrl: TEMPO_RPC_URL,
            chainId: TEMPO_CHAIN_ID,
            currency: TEMPO_CURRENCY,
            payeeKey: TEMPO_PAYEE_KEY,
            settleThreshold: values.TEMPO_SETTLE_THRESHOLD,
            settleIntervalMs: values.TEMPO_SETTLE_INTERVAL,
          }
        : undefined,
  };
}
