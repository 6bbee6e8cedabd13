import type { Command } from 'commander';
import type { Config, ConfigError } from '../config/config.js';
import { comparingFindings } from '../domain/doctor/comparing.js';
import { type Finding, fail, ok, warn } from '../domain/doctor/finding.js';
import { askedFindings, oldestFindings, parkedFindings, sweepFindings } from '../domain/doctor/ledger.js';
import { destinationFindings } from '../domain/doctor/notifications.js';
import { clockFinding, type ProviderProbe, providerFindings } from '../domain/doctor/providers.js';
import { temporalFindings } from '../domain/doctor/temporal.js';
import { withTimeout } from '../domain/timeout.js';
import { notificationTaskQueue } from '../domain/workflow-ids.js';
import { inspectTemporal, TemporalCallFailed } from '../orchestration/inspect-temporal.js';
import { type CliContext, CommandRefused } from './context.js';
import { type OperatorLedger, withOperatorLedger } from './operator-ledger.js';
import { table } from './table.js';

export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description(
      'look at settings, database, keys, Temporal, providers, clocks and what waits, and say what cures each failure. Changes nothing. Ends with 1 where something fails',
    )
    .option('--json', 'answer as JSON')
    .action((options: { json?: true }) => run(context, options));
}

async function run(context: CliContext, { json }: { json?: true }): Promise<void> {
  const findings = await examine(context);
  const failed = findings.filter(({ level }) => level === 'fail').length;
  if (json) context.out(JSON.stringify({ ok: failed === 0, findings }));
  else {
    const rows = findings.map(({ level, area, says }) => [level, area, says]);
    const [, ...lines] = table(['', '', ''], rows);
    for (const [index, line] of lines.entries()) {
      context.out(line);
      const cure = findings[index]?.cure;
      if (cure) context.out(`      → ${cure}`);
    }
  }
  if (failed > 0) throw new CommandRefused(`${failed} of ${findings.length} checks failed`);
}

/** A few seconds each, one beside another: what hangs is said so and hides nothing else. */
const WITHIN_MS = 5_000;

async function examine(context: CliContext): Promise<readonly Finding[]> {
  const settings = settingsFindings(context);
  const config = operatorConfig(context);
  if (!config) return settings;
  const [ledger, temporal] = await Promise.all([ledgerFindings(context, config), askTemporal(config)]);
  return [...settings, ...ledger.database, ...temporal, ...ledger.others];
}

function operatorConfig(context: CliContext): Config | undefined {
  try {
    return context.readOperatorConfig();
  } catch (error) {
    if (isConfigError(error)) return undefined;
    throw error;
  }
}

const isConfigError = (error: unknown): error is ConfigError => error instanceof Error && error.name === 'ConfigError';

function settingsFindings(context: CliContext): readonly Finding[] {
  try {
    return [ok('settings', 'complete, as servers and workers need them'), ...doubtful(context.readConfig())];
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return error.problems.map(({ variable, problem, example }) =>
      fail('settings', `${variable} ${problem}`, `set ${variable} as for the server; example: ${variable}=${example}`),
    );
  }
}

/** Settings that are possible, and seldom meant. */
function doubtful(config: Config): readonly Finding[] {
  const { stripe, hyperswitch, paymentProvider, authServer, tempo, apiTokens, reversal, transferRetry } = config;
  const deciders = new Set(
    apiTokens.filter(({ role }) => role === 'operator' || role === 'approver').map(({ name }) => name.toLowerCase()),
  );
  const approves = apiTokens.some(({ role }) => role === 'approver');
  const doubts: readonly (readonly [boolean, string, string])[] = [
    [
      !stripe && !hyperswitch && !authServer && !tempo,
      'no provider is set: nothing can be charged, paid or sent',
      'set AUTH_SERVER_URL, HYPERSWITCH_… and STRIPE_…, whichever you use',
    ],
    [
      paymentProvider === 'stripe' && !stripe,
      'PAYMENT_PROVIDER is stripe, and STRIPE_SECRET_KEY is not set: no payment can be made',
      'set STRIPE_SECRET_KEY, or PAYMENT_PROVIDER=hyperswitch',
    ],
    [
      stripe !== undefined && !stripe.webhookSecrets,
      'STRIPE_WEBHOOK_SECRET is not set: what Stripe tells is refused, and found only by looking',
      "set it to the signing secret of Stripe's endpoint",
    ],
    [
      hyperswitch !== undefined && !hyperswitch.webhookSecrets,
      'HYPERSWITCH_WEBHOOK_SECRET is not set: what Hyperswitch tells is refused, and found only by looking',
      "set it to Hyperswitch's payment response hash key",
    ],
    [
      hyperswitch !== undefined && !stripe,
      'STRIPE_SECRET_KEY is not set: sellers are not paid, and their shares not taken back',
      'set it',
    ],
    [
      !reversal.enabled,
      'REVERSAL_WORKER_ENABLED is off: no share is taken back',
      'set it to true once its reason is gone',
    ],
    [
      !transferRetry.enabled,
      'TRANSFER_RETRY_ENABLED is off: no seller is paid',
      'set it to true once its reason is gone',
    ],
    [
      !approves || deciders.size < 2,
      'API_TOKENS names no two persons of whom one may approve: what takes two cannot be decided',
      'add tokens of the roles operator and approver, under two names',
    ],
  ];
  return doubts.filter(([is]) => is).map(([, says, cure]) => warn('settings', says, cure));
}

interface LedgerFindings {
  readonly database: readonly Finding[];
  readonly others: readonly Finding[];
}

async function ledgerFindings(context: CliContext, config: Config): Promise<LedgerFindings> {
  try {
    return await withOperatorLedger(context, async (ledger) => {
      const clockMs = await withTimeout(WITHIN_MS, ledger.clockMs(), 'Postgres');
      const postgres = clockFinding('Postgres', clockMs, context.clock.nowMs());
      const { state, applied, known } = await migrations(ledger);
      if (state !== 'current')
        return {
          database: [
            ok('database', 'answers'),
            fail(
              'database',
              `${applied} migrations are applied, and this build knows ${known}: the schema is ${state === 'ahead' ? 'newer' : 'older'}`,
              state === 'ahead'
                ? 'use the build that ran makegood migrate'
                : 'makegood migrate, with servers and workers stopped',
            ),
          ],
          others: [postgres, ...(await providers(context, config, undefined))],
        };
      return {
        database: [
          ok('database', 'answers'),
          ok('database', `all ${known} migrations are applied`),
          ...(await keys(ledger, config)),
        ],
        others: [...(await providers(context, config, ledger)), postgres, ...(await waiting(context, config, ledger))],
      };
    });
  } catch (error) {
    const database = [
      fail(
        'database',
        `does not answer as it should: ${error instanceof Error ? error.message : String(error)}`,
        'see that Postgres runs and that DATABASE_URL is right; paid routes and POST answer 503 meanwhile (docs/runbooks/server-down.md)',
      ),
    ];
    return { database, others: await providers(context, config, undefined) };
  }
}

const UNDEFINED_TABLE = '42P01';

async function migrations(ledger: OperatorLedger) {
  try {
    return await withTimeout(WITHIN_MS, ledger.migrations(), 'Postgres');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE)
      return { state: 'behind' as const, applied: 0, known: 0 };
    throw error;
  }
}

async function keys(ledger: OperatorLedger, { credentialKeys }: Config): Promise<readonly Finding[]> {
  if (credentialKeys.length === 0)
    return [
      warn(
        'keys',
        'CREDENTIAL_ENCRYPTION_KEY is not set here: what is sealed was not tried',
        'set it as for the server',
      ),
    ];
  const { opened, problems } = await withTimeout(WITHIN_MS, ledger.openNewest(credentialKeys), 'Postgres');
  return problems.length === 0
    ? [ok('keys', opened === 0 ? 'nothing is sealed' : `the newest secrets of every key in use open (${opened} tried)`)]
    : problems.map((problem) =>
        fail(
          'keys',
          problem,
          'put that key back into CREDENTIAL_ENCRYPTION_KEY and restart (docs/runbooks/encryption-key-rotation.md)',
        ),
      );
}

async function askTemporal(config: Config): Promise<readonly Finding[]> {
  try {
    const queues = config.notifications ? [notificationTaskQueue(config.temporal.taskQueue)] : [];
    // Its own deadline names the call that is late; what hangs even then is given up a moment later.
    const facts = await withTimeout(WITHIN_MS + 1_000, inspectTemporal(config.temporal, WITHIN_MS, queues), 'Temporal');
    return temporalFindings(facts, config.stripe !== undefined);
  } catch (error) {
    if (error instanceof TemporalCallFailed)
      return [
        fail(
          'temporal',
          `${config.temporal.address} answers, but ${error.message}`,
          "look into Temporal's own log for that call, and run this again; what waits is kept in Postgres (docs/runbooks/server-down.md)",
        ),
      ];
    return [
      fail(
        'temporal',
        `${config.temporal.address} does not answer: ${error instanceof Error ? error.message : String(error)}`,
        'see that Temporal runs and that TEMPORAL_ADDRESS is right; what waits is kept in Postgres (docs/runbooks/server-down.md)',
      ),
    ];
  }
}

/** @param ledger undefined: Postgres does not say whose accounts they should be */
async function providers(
  context: CliContext,
  config: Config,
  ledger: OperatorLedger | undefined,
): Promise<readonly Finding[]> {
  const [pinned, knownPayment] = ledger
    ? await Promise.all([ledger.pinned(), ledger.knownPaymentName()])
    : [undefined, null];
  const probes = await context.probe(config, knownPayment);
  const pinnedOf = ({ provider }: ProviderProbe) =>
    provider === 'stripe' || provider === 'hyperswitch' ? (pinned?.[provider] ?? null) : null;
  return [
    ...probes.flatMap((probe) => providerFindings(probe, pinnedOf(probe))),
    ...probes.flatMap(({ provider, itsClockMs, atMs }) =>
      itsClockMs === null ? [] : [clockFinding(provider, itsClockMs, atMs)],
    ),
  ];
}

async function waiting(
  context: CliContext,
  { notifications, reconcileIntervalMs }: Config,
  ledger: OperatorLedger,
): Promise<readonly Finding[]> {
  const nowMs = context.clock.nowMs();
  const [breakers, asked, oldest, lanes, states, compared] = await Promise.all([
    ledger.openBreakers(),
    ledger.askedAbout(),
    ledger.oldestUnfinished(),
    ledger.lanes(),
    ledger.destinationStates(),
    ledger.comparedParts(),
  ]);
  return [
    ...parkedFindings(breakers),
    ...sweepFindings(lanes, nowMs),
    ...comparingFindings(compared, reconcileIntervalMs),
    ...askedFindings(asked),
    ...oldestFindings(oldest, nowMs),
    ...destinationFindings(notifications?.destinations ?? [], states),
  ];
}
