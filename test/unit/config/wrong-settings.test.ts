import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES } from '../../../src/config/config.js';
import { HYPERSWITCH, key, problemsOf, STRIPE, TEMPO } from './support/settings.js';

const SHORT_KEY = randomBytes(31).toString('base64');
const [KEY_A, KEY_B] = [key(), key()];
const WHSEC = `whsec_${randomBytes(24).toString('base64')}`;
const MAIL = { SMTP_URL: 'smtp://127.0.0.1', NOTIFY_EMAIL_FROM: 'makegood@example.com' };

/** [variable, value, what the message says] */
const WRONG: readonly (readonly [
  variable: string,
  value: string | undefined,
  says: RegExp,
  rest?: Record<string, string>,
])[] = [
  ['DATABASE_URL', undefined, /missing/],
  ['DATABASE_URL', '', /empty/],
  ['DATABASE_URL', 'mysql://root:hunter2@db/x', /postgres:\/\//],
  ['CREDENTIAL_ENCRYPTION_KEY', undefined, /missing/],
  ['CREDENTIAL_ENCRYPTION_KEY', '', /empty/],
  ['CREDENTIAL_ENCRYPTION_KEY', SHORT_KEY, /entry 1 has 31 bytes; 32/],
  ['CREDENTIAL_ENCRYPTION_KEY', `k1:${KEY_A},k2:${SHORT_KEY}`, /entry 2 has 31 bytes/],
  ['CREDENTIAL_ENCRYPTION_KEY', 'k1:!!!', /entry 1 is not base64/],
  ['CREDENTIAL_ENCRYPTION_KEY', `:${KEY_A}`, /no usable id/],
  ['CREDENTIAL_ENCRYPTION_KEY', `k1:${KEY_A},k1:${KEY_B}`, /same key id twice/],
  ['CREDENTIAL_ENCRYPTION_KEY', `k1:${KEY_A},k2:${KEY_A}`, /same key twice/],
  ['API_TOKENS', undefined, /missing/],
  ['API_TOKENS', '', /empty/],
  ['API_TOKENS', '0123456789abcdef', /role/],
  ['API_TOKENS', 'ada:admin:0123456789abcdef', /role/],
  ['API_TOKENS', 'ada:viewer:0123456789abcde', /15 characters; at least 16/],
  ['API_TOKENS', 'a da:viewer:0123456789abcdef', /name/],
  ['API_TOKENS', 'ada:viewer:0123456789 abcdef', /no header can carry/],
  ['API_TOKENS', 'ada:viewer:0123456789abcdef,bob:viewer:0123456789abcdef', /same token twice/],
  ['API_TOKENS', 'ada:operator:0123456789abcdef,Ada:approver:0123456789abcdeg', /differ only by case/],
  ['API_TOKENS', 'ada:viewer:0123456789abcdef,', /entry 2/],
  ['PORT', '65536', /0 to 65535/],
  ['PORT', 'http', /whole number/],
  ['PORT', '', /empty/],
  ['HOST', 'a b', /host name/],
  ['RELEASED_LIMIT', '0', /1 to/],
  ['PUBLIC_URL', 'api.example.com', /begins with/],
  ['PUBLIC_URL', 'https://api.example.com/?a=1', /query/],
  ['TRUST_PROXY', 'true', /name his own address/],
  ['TRUST_PROXY', 'True', /name his own address/],
  ['TRUST_PROXY', '0', /1 to 32 hops/],
  ['TRUST_PROXY', '33', /1 to 32 hops/],
  ['TRUST_PROXY', 'proxy.example.com', /"proxy.example.com" is neither/],
  ['TRUST_PROXY', 'loopback,10.0.0.0/33', /"10.0.0.0\/33" is neither/],
  ['TRUST_PROXY', '0.0.0.0/0', /neither/],
  ['TRUST_PROXY', '::/0', /neither/],
  ['TRUST_PROXY', 'loopback,', /"" is neither/],
  ['LOG_LEVEL', 'loud', /debug, info, warn, error/],
  ['SETTINGS_FILE', 'settings.env', /absolute path/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318', /begins with/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://ada:hunter2@127.0.0.1:4318', /user name/],
  ['CORS_ALLOWED_ORIGINS', '*', /not an origin/],
  ['CORS_ALLOWED_ORIGINS', 'https://a.example/', /not an origin/],
  ['RATE_LIMIT_WINDOW', '0s', /shorter than 1s/],
  ['RATE_LIMIT_MAX', '0', /from 1/],
  ['RATE_LIMIT_ANONYMOUS_MAX', '-1', /from 1/],
  ['TEMPORAL_ADDRESS', 'temporal', /host:port/],
  ['TEMPORAL_ADDRESS', 'http://temporal:7233', /host:port/],
  ['TEMPORAL_NAMESPACE', 'a b', /namespace/],
  ['TEMPORAL_TASK_QUEUE', 'a/b', /task queue/],
  ['TEMPORAL_UI_URL', 'localhost:8233', /https:\/\/ or http:\/\//],
  ['TEMPORAL_TLS_CA', join(import.meta.dirname, 'none.pem'), /cannot be read/],
  ['TEMPORAL_TLS_CERT', undefined, /missing while TEMPORAL_TLS_KEY is set/, { TEMPORAL_TLS_KEY: import.meta.filename }],
  [
    'TEMPORAL_TLS_KEY',
    undefined,
    /missing while TEMPORAL_TLS_CERT is set/,
    { TEMPORAL_TLS_CERT: import.meta.filename },
  ],
  ['WORKER_METRICS_PORT', '-1', /whole number/],
  ['NOTIFY_WEBHOOKS', 'ops.example.com whsec_hunter2', /entry 1 does not begin with a URL/],
  ['NOTIFY_WEBHOOKS', `http://ops.example.com/x ${WHSEC}`, /entry 1 is not https/],
  ['NOTIFY_WEBHOOKS', `https://user:hunter2@ops.example.com/x ${WHSEC}`, /entry 1 holds a user name/],
  ['NOTIFY_WEBHOOKS', 'https://ops.example.com/x?key=hunter2', /entry 1 has no secret/],
  ['NOTIFY_WEBHOOKS', 'https://ops.example.com/x whsec_aHVudGVyMg==', /24 to 64 bytes/],
  ['NOTIFY_WEBHOOKS', `https://ops.example.com/x hunter2`, /24 to 64 bytes/],
  ['NOTIFY_WEBHOOKS', `https://ops.example.com/x ${WHSEC} ${WHSEC}`, /same secret twice/],
  ['NOTIFY_WEBHOOKS', `https://ops.example.com/x ${WHSEC},https://ops.example.com/x ${WHSEC}`, /same address twice/],
  ['NOTIFY_ESCALATE_WEBHOOKS', `ftp://ops.example.com ${WHSEC}`, /entry 1 does not begin with a URL/],
  ['NOTIFY_EMAIL_TO', 'Ops <ops@example.com>', /not a mail address/, MAIL],
  ['NOTIFY_EMAIL_TO', 'ops@example.com,ops@example.com', /same address twice/, MAIL],
  ['NOTIFY_EMAIL_TO', 'ops@example.com\r\nBcc: x@example.com', /not a mail address/, MAIL],
  ['NOTIFY_ESCALATE_EMAIL_TO', 'head', /not a mail address/, MAIL],
  ['NOTIFY_ESCALATE_AFTER', '1', /duration/],
  ['NOTIFY_GROUP_WINDOW', '0s', /shorter than 1s/],
  ['NOTIFY_QUIET_HOURS', '22-7 Europe/Berlin', /hh:mm-hh:mm and a time zone/],
  ['NOTIFY_QUIET_HOURS', '22:00-07:00 Europe/Bielefeld', /hh:mm-hh:mm and a time zone/],
  ['NOTIFY_URGENT_AMOUNT', 'much', /neither an amount/],
  ['SMTP_URL', undefined, /missing while NOTIFY_EMAIL_TO is set/, { NOTIFY_EMAIL_TO: 'ops@example.com' }],
  ['SMTP_URL', 'http://user:hunter2@mail.example.com', /smtp:\/\//],
  ['SMTP_URL', 'smtp://user:hunter2@mail.example.com/inbox', /without a path/],
  ['SMTP_URL', 'smtp://user:hunter2%@mail.example.com', /smtp:\/\//],
  ['SMTP_URL', 'smtps://mail.example.com?tls=off', /smtp:\/\//],
  ['NOTIFY_EMAIL_FROM', 'makegood', /mail address/],
  ['AUTH_SERVER_URL', 'auth.example', /https:\/\//],
  ['AUTH_SERVER_URL', 'https://user:hunter2@auth.example', /bare base URL/],
  ['AUTH_SERVER_URL', 'https://auth.example?x=1', /bare base URL/],
  ['AUTH_APP_NAME', 'my app', /1 to 64/],
  ['DESTINATION_ACCOUNT_ID', 'a b', /account id/],
  ['SETTLEMENT_BACKOFF_BASE', 'soon', /"soon" is not a duration/],
  ['SETTLEMENT_BACKOFF_BASE', '1', /duration/],
  ['SETTLEMENT_BACKOFF_BASE', '-1s', /duration/],
  ['SETTLEMENT_BACKOFF_BASE', '1.5s', /duration/],
  ['SETTLEMENT_BACKOFF_BASE', '1S', /duration/],
  ['SETTLEMENT_BACKOFF_BASE', '0s', /shorter/],
  ['SETTLEMENT_BACKOFF_BASE', '10m', /above SETTLEMENT_BACKOFF_MAX/],
  ['SETTLEMENT_BACKOFF_MAX', '2d', /longer than 1d/],
  ['SETTLEMENT_HTTP_TIMEOUT', '1ms', /shorter than 100ms/],
  ['SETTLEMENT_SWEEP_INTERVAL', '999ms', /shorter than 1s/],
  ['SETTLEMENT_OVERFLOW_BACKLOG', '0', /from 1/],
  ['SETTLEMENT_MAX_BATCH', '501', /1 to 500/],
  ['SETTLEMENT_MAX_RPS', '1e3', /whole number/],
  ['STRIPE_MAX_RPS', '0', /whole number/],
  ['SETTLEMENT_CHECKPOINT_AMOUNT', '0', /at least 1/],
  ['SETTLEMENT_CHECKPOINT_AMOUNT', '0.01', /digits only/],
  ['SETTLEMENT_CHECKPOINT_INTERVAL', '25d', /longer than 1h/],
  ['SETTLEMENT_CREDENTIAL_VALIDITY', '500ms', /shorter than 1s/],
  ['SETTLEMENT_MIN_RETRY_WINDOW', '2h', /above SETTLEMENT_CREDENTIAL_VALIDITY/],
  ['SETTLE_FIRST_BUFFER', '1MB', /not a size/],
  ['SETTLE_FIRST_BUFFER', '1B', /between 1024 and/],
  ['REFUND_FEE', 'return', /keep, return_proportionally/],
  ['APPROVAL_THRESHOLD', '-1', /digits only/],
  ['APPROVAL_THRESHOLD', 'usd:100.00', /neither an amount \(digits only\) nor currency:amount/],
  ['APPROVAL_THRESHOLD', 'usd:10000,15000', /neither an amount/],
  ['APPROVAL_THRESHOLD', 'usd:10000,', /neither an amount/],
  ['APPROVAL_THRESHOLD', 'usd:10000,USD:1', /holds usd twice/],
  ['STRIPE_SECRET_KEY', 'pk_test_hunter2', /sk_/],
  ['STRIPE_SECRET_KEY', undefined, /missing while STRIPE_WEBHOOK_SECRET is set/, { STRIPE_WEBHOOK_SECRET: 'whsec_1' }],
  ['STRIPE_API_BASE', 'stripe', /https:\/\//],
  ['STRIPE_WEBHOOK_SECRET', '', /empty/, STRIPE],
  ['STRIPE_WEBHOOK_SECRET', 'whsec_hunter2,', /empty secret/, STRIPE],
  ['STRIPE_WEBHOOK_SECRET', ' ', /empty secret/, STRIPE],
  [
    'HYPERSWITCH_BASE_URL',
    undefined,
    /missing while HYPERSWITCH_API_KEY is set/,
    { HYPERSWITCH_API_KEY: 'snd_12345678' },
  ],
  [
    'HYPERSWITCH_API_KEY',
    undefined,
    /missing while HYPERSWITCH_BASE_URL is set/,
    { HYPERSWITCH_BASE_URL: 'https://hs.example' },
  ],
  ['HYPERSWITCH_API_KEY', 'hunter2', /7 characters; at least 8/],
  ['HYPERSWITCH_WEBHOOK_SECRET', '', /empty/, HYPERSWITCH],
  ['RECONCILE_INTERVAL', '500ms', /shorter than 1s/],
  ['X402_RPC_URLS', 'https://rpc.example', /list of networks/],
  ['X402_RPC_URLS', 'eip155:8453=ws://rpc.example', /no http or https address for eip155:8453/],
  ['X402_RPC_URLS', 'eip155:1=https://a.example,eip155:1=https://b.example', /eip155:1 twice/],
  ['MPP_SECRET_KEY', 'hunter2', /7 characters; at least 32/],
  ['MPP_SECRET_KEY', undefined, /missing while TEMPO_RPC_URL is set/, { ...TEMPO, MPP_SECRET_KEY: '' }],
  ['TEMPO_RPC_URL', 'rpc', /https:\/\//, TEMPO],
  ['TEMPO_CHAIN_ID', 'moderato', /whole number/, TEMPO],
  ['TEMPO_CURRENCY', '0x1', /token address/, TEMPO],
  ['TEMPO_PAYEE_KEY', '0xhunter2', /private key/, TEMPO],
  ['TEMPO_SETTLE_THRESHOLD', '0', /at least 1/],
  ['TEMPO_SETTLE_INTERVAL', '1', /duration/],
  ['AUDIT_ANCHOR_DIR', 'anchors', /absolute path/],
  ['RETENTION_AFTER', '7d', /shorter than/],
  ['REVERSAL_WORKER_ENABLED', 'yes', /true or false/],
  ['REVERSAL_WORKER_ENABLED', '', /empty/],
  ['REVERSAL_MAX_RETRIES', '-1', /whole number/],
  ['REVERSAL_CHECK_INTERVAL', '10ms', /shorter than 1s/],
  ['REVERSAL_BACKOFF_BASE', '2h', /above REVERSAL_BACKOFF_MAX/],
  ['REVERSAL_BACKOFF_MAX', '8d', /longer/],
  ['PAYMENT_PROVIDER', 'adyen', /not one of hyperswitch, stripe/],
  ['PAYMENT_EXPIRY', '0s', /at least|shorter/],
  ['HYPERSWITCH_PROFILE_ID', 'pro 1', /pattern/, HYPERSWITCH],
  ['CAPTURE_OVERDUE', '0s', /shorter than 1s/],
  ['CAPTURE_OVERDUE', '91d', /longer/],
  ['RELEASE_OVERDUE', '0d', /shorter than 1s/],
  ['RELEASE_OVERDUE', '30', /not a duration/],
  ['RELEASE_OVERDUE', '400d', /longer/],
  ['OFFSET', 'true', /off, on/],
  ['OFFSET_LIMIT', '0%', /not a whole part from 1% to 100%/],
  ['OFFSET_LIMIT', '101%', /not a whole part/],
  ['OFFSET_LIMIT', '50', /not a whole part/],
  ['DISPUTE_POLICY', 'keep', /"keep" is not one of reverse, hold, wait/],
  ['DISPUTE_FEE', '1500', /not currency:amount/],
  ['DISPUTE_FEE', 'usd:15.00', /not currency:amount/],
  ['DISPUTE_FEE', 'xxx:15', /not currency:amount/],
  ['DISPUTE_FEE', 'usd:1500,USD:1', /holds usd twice/],
  ['REVERSAL_BALANCE_HORIZON', '30', /duration/],
  ['TRANSFER_RETRY_ENABLED', 'TRUE', /true or false/],
  ['TRANSFER_RETRY_MAX', 'many', /whole number/],
  ['TRANSFER_RETRY_INTERVAL', '999ms', /shorter than 1s/],
  ['TRANSFER_RETRY_BACKOFF_BASE', '2h', /above TRANSFER_RETRY_BACKOFF_MAX/],
  ['TRANSFER_RETRY_BACKOFF_MAX', '1w', /duration/],
];

describe('a wrong setting stops the start', () => {
  it.each(WRONG.map(([variable, value, says, rest]) => ({ variable, value, says, rest })))(
    '$variable=$value, by its name and with an example',
    ({ variable, value, says, rest }) => {
      const error = problemsOf({ ...rest, [variable]: value });
      const problem = error.problems.find((candidate) => candidate.variable === variable);
      expect(problem?.problem).toMatch(says);
      expect(problem?.example).not.toBe('');
      expect(error.message).toContain(`${variable} ${problem?.problem}; example: ${variable}=${problem?.example}`);
    },
  );

  it('has a row above for every variable', () => {
    const untried = CONFIG_VARIABLES.filter(({ name }) => !WRONG.some(([variable]) => variable === name));
    // Any text is a usable API key of Temporal: there is nothing to get wrong.
    expect(untried.map(({ name }) => name)).toEqual(['TEMPORAL_API_KEY']);
  });

  it('names all that are wrong, not only the first, a wrong order among them', () => {
    const error = problemsOf({
      DATABASE_URL: undefined,
      PORT: 'x',
      SETTLEMENT_BACKOFF_BASE: '10m',
      HYPERSWITCH_API_KEY: 'snd_12345678',
    });
    expect(error.problems.map(({ variable }) => variable)).toEqual([
      'DATABASE_URL',
      'PORT',
      'HYPERSWITCH_BASE_URL',
      'SETTLEMENT_BACKOFF_BASE',
    ]);
  });

  it('never shows the value of a secret', () => {
    const secrets = new Set(CONFIG_VARIABLES.filter(({ secret }) => secret).map(({ name }) => name));
    const rows = WRONG.filter(([variable, value]) => secrets.has(variable) && value);
    expect(rows.length).toBeGreaterThan(15);
    for (const [variable, value = '', , rest] of rows) {
      const { message, problems } = problemsOf({ ...rest, [variable]: value });
      const said = [message, ...problems.map(({ problem }) => problem)].join('\n');
      for (const part of ['hunter2', WHSEC, KEY_A, SHORT_KEY, '0123456789abcde']) expect(said).not.toContain(part);
    }
    expect(problemsOf({ AUTH_SERVER_URL: 'https://user:hunter2@auth.example' }).message).not.toContain('hunter2');
  });
});
