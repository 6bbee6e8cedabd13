import { z } from 'zod';
import { FEE_POLICIES } from '../domain/marketplace/lines.js';
import {
  amount,
  amountsByCurrency,
  anyText,
  apiBase,
  apiTokens,
  approvalThreshold,
  bytes,
  DAY,
  duration,
  encryptionKeys,
  file,
  flag,
  HOUR,
  hostAndPort,
  integer,
  matching,
  oneOf,
  origins,
  percent,
  rpcUrls,
  SECOND,
  secretOf,
  trustedProxies,
  url,
} from './config-values.js';
import { type ConfigVariable, descriptionOf, optional, required, standard, webhookSecrets } from './describe.js';
import { NOTIFICATION_VARIABLES } from './notification-variables.js';
import { PAYMENT_VARIABLES } from './payment-variables.js';

export type { ConfigVariable } from './describe.js';

/** Every variable the product reads; the only schema of the environment. */
export const ENVIRONMENT = z.object({
  DATABASE_URL: required(url(['postgres:', 'postgresql:']), {
    secret: true,
    description: 'Postgres, the only authority on money; a pooler before it has to be in session mode.',
    example: 'postgres://makegood:password@127.0.0.1:5432/makegood',
  }),
  CREDENTIAL_ENCRYPTION_KEY: required(encryptionKeys(), {
    secret: true,
    description:
      'Keys that encrypt credentials and client secrets in Postgres: id:base64[,id:base64…], 32 bytes each; the first encrypts, all decrypt. A bare base64 value has id 1.',
    example: 'k1:$(openssl rand -base64 32)',
  }),
  API_TOKENS: required(apiTokens(), {
    secret: true,
    description:
      'Who may call the API: name:role:token,… with the roles service, viewer, operator, approver; tokens of 16 characters or more.',
    example: 'billing:service:$(openssl rand -hex 24),alice:operator:$(openssl rand -hex 24)',
  }),
  PORT: standard(integer(0, 65_535), '3000', 'Port of the HTTP server.'),
  HOST: standard(
    matching(/^[A-Za-z0-9.:_-]+$/, 'a host name or address'),
    '127.0.0.1',
    'Address the HTTP server listens on.',
  ),
  PUBLIC_URL: optional(apiBase(), {
    description:
      'Base URL under which clients reach this server, with the prefix that a proxy takes away: what paid routes sell is named by it, and the cookie of the console is for https alone where it is. Left out: the scheme and host of each request.',
    example: 'https://api.example.com',
  }),
  TRUST_PROXY: optional(trustedProxies(), {
    description:
      'Proxies before this server whose X-Forwarded-… is believed, in the words of Express: how many, or their addresses and subnets, comma-separated (loopback, linklocal and uniquelocal too). Left out: none, and everybody behind one proxy shares RATE_LIMIT_ANONYMOUS_MAX.',
    example: 'loopback,10.0.0.0/8',
  }),
  LOG_LEVEL: standard(oneOf(['debug', 'info', 'warn', 'error']), 'info', 'Least severe log line that is written.'),
  SETTINGS_FILE: optional(matching(/^\//, 'an absolute path'), {
    description:
      'File with settings in the form of this one, which win over the environment; at SIGHUP a process reads it again.',
    example: '/etc/makegood/settings.env',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(apiBase(), {
    description:
      'Where traces are sent (OTLP by HTTP, protobuf; /v1/traces is appended); none when left out. Sampling, headers and names by the other variables of OpenTelemetry.',
    example: 'http://127.0.0.1:4318',
  }),
  CORS_ALLOWED_ORIGINS: optional(origins(), {
    description: 'Browser origins that may call the API, comma-separated; none when left out.',
    example: 'https://console.example.com',
  }),
  RATE_LIMIT_WINDOW: standard(duration(SECOND, HOUR), '1m', 'Window in which requests are counted.'),
  RATE_LIMIT_MAX: standard(integer(1, 10_000_000), '12000', 'Requests per window and token.'),
  RATE_LIMIT_ANONYMOUS_MAX: standard(
    integer(1, 10_000_000),
    '1200',
    'Requests per window and address without a token.',
  ),
  TEMPORAL_ADDRESS: standard(hostAndPort(), '127.0.0.1:7233', 'Temporal frontend, host:port.'),
  TEMPORAL_NAMESPACE: standard(
    matching(/^[A-Za-z0-9._-]{2,255}$/, 'a namespace name'),
    'default',
    'Temporal namespace.',
  ),
  TEMPORAL_TASK_QUEUE: standard(
    matching(/^[A-Za-z0-9._-]{1,200}$/, 'a task queue name'),
    'makegood',
    'Task queue of settlements, payments and refunds; what calls Stripe uses the same name with -stripe.',
  ),
  TEMPORAL_UI_URL: optional(url(['https:', 'http:']), {
    description: 'Temporal Web UI, for links.',
    example: 'http://127.0.0.1:8233',
  }),
  TEMPORAL_TLS_CERT: optional(file(), {
    description: 'File with the client certificate (PEM).',
    example: '/etc/makegood/client.pem',
  }),
  TEMPORAL_TLS_KEY: optional(file(), {
    description: 'File with the key of the client certificate (PEM).',
    example: '/etc/makegood/client.key',
  }),
  TEMPORAL_TLS_CA: optional(file(), {
    description: "File with the server's certificate authority (PEM).",
    example: '/etc/makegood/ca.pem',
  }),
  TEMPORAL_API_KEY: optional(anyText(), {
    secret: true,
    description: 'API key of Temporal Cloud; turns TLS on.',
    example: 'eyJ…',
  }),
  WORKER_METRICS_PORT: optional(integer(0, 65_535), {
    description: "Port on which a worker serves Temporal's own metrics; none when left out.",
    example: '9464',
  }),
  AUDIT_ANCHOR_DIR: optional(matching(/^\//, 'an absolute path'), {
    description:
      'Directory outside Postgres, the same for all workers, into which one of them writes the heads of the event chains once a day; none when left out.',
    example: '/var/lib/makegood/anchors',
  }),
  RETENTION_AFTER: optional(duration(30 * DAY, 3_650 * DAY), {
    description:
      'What is finished is put aside when nothing has happened to it for this long: lists leave it out, everything else finds it. Nothing is put aside when left out.',
    example: '365d',
  }),
  ...NOTIFICATION_VARIABLES,
  AUTH_SERVER_URL: optional(apiBase(), {
    description: 'Auth server that verifies and settles; without it settlements are not accepted.',
    example: 'https://auth.atxp.ai',
  }),
  AUTH_APP_NAME: optional(matching(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of letters, digits, . _ -'), {
    description: 'Sent to the auth server as X-ATXP-APP-NAME.',
    example: 'my-app',
  }),
  DESTINATION_ACCOUNT_ID: optional(matching(/^[\x21-\x7e]{1,200}$/, 'an account id'), {
    description: 'ATXP account that is paid.',
    example: 'atxp_acct_123',
  }),
  SETTLEMENT_BACKOFF_BASE: standard(duration(), '1s', 'First wait after a failed settle call; doubles with each.'),
  SETTLEMENT_BACKOFF_MAX: standard(duration(1, DAY), '5m', 'Longest wait between settle calls.'),
  SETTLEMENT_HTTP_TIMEOUT: standard(
    duration(100, 10 * 60 * SECOND),
    '30s',
    'How long an unanswered settle call may still be at work.',
  ),
  SETTLEMENT_SWEEP_INTERVAL: standard(duration(SECOND, DAY), '1m', 'How often unfinished charges are looked for.'),
  SETTLEMENT_OVERFLOW_BACKLOG: standard(
    integer(1, 10_000_000),
    '1000',
    'Pending rows of one protocol above which shared workflows take over.',
  ),
  SETTLEMENT_MAX_BATCH: standard(integer(1, 500), '50', 'Most settlements in a shared workflow.'),
  SETTLEMENT_MAX_RPS: standard(integer(1, 100_000), '200', 'Most settle calls a second, also while a backlog drains.'),
  SETTLEMENT_CHECKPOINT_AMOUNT: standard(
    amount(1n),
    '10000',
    'Streams make a charge durable every so much (atomic units).',
  ),
  SETTLEMENT_CHECKPOINT_INTERVAL: standard(
    duration(10, HOUR),
    '1s',
    'A stream makes its charge durable at least this often.',
  ),
  SETTLEMENT_CREDENTIAL_VALIDITY: standard(
    duration(SECOND),
    '1h',
    'Validity that our challenges ask for: shorter outages lose nothing.',
  ),
  SETTLEMENT_MIN_RETRY_WINDOW: standard(
    duration(),
    '2m',
    "Validity to remain after a route's longest duration; else 402.",
  ),
  RELEASED_LIMIT: standard(
    integer(1, 1_000_000),
    '60',
    'Answers that may cost one payer nothing within an hour, because they failed (400 to 499), found nothing new (304) or were not waited for, with those under way that are not charged for yet; more get 429.',
  ),
  SETTLE_FIRST_BUFFER: standard(
    bytes(1_024, 1_073_741_824),
    '1MiB',
    'Most bytes of a response that wait until it is settled, on routes that settle first.',
  ),
  APPROVAL_THRESHOLD: standard(
    approvalThreshold(),
    '10000',
    'What one person gives up within 24 hours stays below this, or a second one agrees: minor units (assets: hundredths of a unit), or by currency and asset, as in usd:10000,jpy:15000,usdc:10000; what is not listed always takes two.',
  ),
  REFUND_FEE: standard(
    oneOf(FEE_POLICIES),
    'return_proportionally',
    'Who bears the fee of what is refunded, where a refund does not say: return_proportionally (the platform gives back its part) or keep (the seller gives back first, as far as what he got reaches).',
  ),
  STRIPE_SECRET_KEY: optional(
    matching(/^(sk|rk)_(test|live)_[A-Za-z0-9]+$/, 'a Stripe secret or restricted key (sk_… or rk_…)'),
    {
      secret: true,
      description: 'Stripe key; without it transfers and reversals are disabled.',
      example: 'sk_test_…',
    },
  ),
  STRIPE_API_BASE: optional(apiBase(), {
    description: "Another address for Stripe's API, for tests.",
    example: 'http://127.0.0.1:12111',
  }),
  STRIPE_MAX_RPS: optional(integer(1, 10_000), {
    description:
      "Most requests a second to Stripe, all together; without it Stripe's own limit: 100 with a live key, 25 with a test key.",
    example: '100',
  }),
  STRIPE_WEBHOOK_SECRET: webhookSecrets('Signing secrets of the Stripe webhook, comma-separated while rotating.'),
  ...PAYMENT_VARIABLES,
  RELEASE_OVERDUE: standard(
    duration(SECOND, 365 * DAY),
    '30d',
    "A person is asked about a seller's share that waits for somebody to release it when nobody has for so long since the order was paid.",
  ),
  OFFSET: standard(
    oneOf(['off', 'on']),
    'off',
    'Whether what a seller owes may be kept of his next transfers, where a person decides so (offset); off: nothing is kept of any transfer.',
  ),
  OFFSET_LIMIT: standard(
    percent(1),
    '100%',
    'Of one transfer, at most this part is kept for what its seller owes; the rest is sent.',
  ),
  DISPUTE_POLICY: standard(
    oneOf(['reverse', 'hold', 'wait']),
    'reverse',
    "What the funds of a dispute that are out mean for the order's sellers: reverse takes their shares back at once, hold only keeps what was not sent yet until the dispute has ended, wait does nothing until it is lost.",
  ),
  DISPUTE_FEE: optional(amountsByCurrency(), {
    description:
      'Charged to the sellers each time funds of a dispute go out, by currency in minor units, in proportion to what it takes of them and never more than they have left; what is not listed the platform bears.',
    example: 'usd:1500,eur:2000',
  }),
  RECONCILE_INTERVAL: standard(
    duration(SECOND, 30 * DAY),
    '1h',
    'How often the ledger is compared with what Stripe, Hyperswitch, the chain and Temporal hold.',
  ),
  X402_RPC_URLS: optional(rpcUrls(), {
    secret: true,
    description:
      'JSON-RPC nodes that the reconciler asks whether the authorizations of x402 exact payments were used, by network; without one of a network its settlements are not compared.',
    example: 'eip155:8453=https://mainnet.base.org,eip155:84532=https://sepolia.base.org',
  }),
  MPP_SECRET_KEY: optional(secretOf(32), {
    secret: true,
    description: 'Binds MPP challenges to this server, at least 32 characters; without it MPP is not offered.',
    example: '$(openssl rand -hex 32)',
  }),
  TEMPO_RPC_URL: optional(url(['https:', 'http:']), {
    secret: true,
    description: 'JSON-RPC of the Tempo chain.',
    example: 'https://rpc.moderato.tempo.xyz',
  }),
  TEMPO_CHAIN_ID: optional(integer(1, Number.MAX_SAFE_INTEGER), { description: 'Chain id.', example: '42431' }),
  TEMPO_CURRENCY: optional(matching(/^0x[0-9a-fA-F]{40}$/, 'a token address (0x and 40 hex digits)'), {
    description: 'Token that channels are paid in.',
    example: '0x20c0000000000000000000000000000000000001',
  }),
  TEMPO_PAYEE_KEY: optional(matching(/^0x[0-9a-fA-F]{64}$/, 'a private key (0x and 64 hex digits)'), {
    secret: true,
    description: 'Private key that settles channels.',
    example: '0x$(openssl rand -hex 32)',
  }),
  TEMPO_SETTLE_THRESHOLD: standard(
    amount(1n),
    '1000000',
    'A channel that has earned so much more than was captured is captured by the next sweep (atomic units).',
  ),
  TEMPO_SETTLE_INTERVAL: standard(
    duration(SECOND, 30 * DAY),
    '1h',
    'What a channel has earned is captured after this long at the latest.',
  ),
  REVERSAL_WORKER_ENABLED: standard(flag(), 'true', 'false: no reversal starts; refunds still succeed and rows wait.'),
  REVERSAL_MAX_RETRIES: standard(integer(0, 1000), '5', 'Retries of a reversal after its first attempt.'),
  REVERSAL_CHECK_INTERVAL: standard(duration(SECOND, DAY), '1m', 'How often unfinished reversals are looked for.'),
  REVERSAL_BACKOFF_BASE: standard(duration(), '1m', 'First wait after a failed reversal; doubles with each.'),
  REVERSAL_BACKOFF_MAX: standard(duration(1, 7 * DAY), '1h', 'Longest wait between attempts of a reversal.'),
  REVERSAL_BALANCE_HORIZON: standard(
    duration(SECOND),
    '30d',
    "How long a reversal waits for the seller's balance, and a debt for a transfer that pays of it, before it asks.",
  ),
  TRANSFER_RETRY_ENABLED: standard(flag(), 'true', 'false: no seller transfer starts; rows wait.'),
  TRANSFER_RETRY_MAX: standard(integer(0, 1000), '5', 'Retries of a seller transfer after its first attempt.'),
  TRANSFER_RETRY_INTERVAL: standard(
    duration(SECOND, DAY),
    '1m',
    'How often unfinished seller transfers are looked for.',
  ),
  TRANSFER_RETRY_BACKOFF_BASE: standard(
    duration(),
    '1m',
    'First wait after a failed seller transfer; doubles with each.',
  ),
  TRANSFER_RETRY_BACKOFF_MAX: standard(
    duration(1, 7 * DAY),
    '1h',
    'Longest wait between attempts of a seller transfer.',
  ),
});

export type Environment = Readonly<Record<string, string | undefined>>;
export type VariableName = keyof typeof ENVIRONMENT.shape;
export type Values = z.output<typeof ENVIRONMENT>;

/** The catalogue, in the order of the schema. */
export const CONFIG_VARIABLES: readonly ConfigVariable[] = Object.entries(ENVIRONMENT.shape).map(([name, value]) => {
  const about = descriptionOf(value);
  if (!about) throw new Error(`${name} has no description`);
  return { name, ...about };
});
