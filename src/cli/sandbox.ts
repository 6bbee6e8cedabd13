import type { Command } from 'commander';
import { type CliContext, CommandRefused } from './context.js';

const DEFAULT_PORT = '4020';
const DEFAULT_HYPERSWITCH_PORT = '4021';
const DEFAULT_STRIPE_PORT = '4022';
const DEFAULT_TEMPO_PORT = '4023';
const DEFAULT_STATE_DIR = '.makegood/sandbox';

export function addSandboxCommand(program: Command, { sandboxDefaults, runSandbox }: CliContext): void {
  program
    .command('sandbox')
    .description('run the stand-ins of the providers, with fault switches; for tries and tests only')
    .option('--port <port>', 'where it listens; default PORT', sandboxDefaults.port ?? DEFAULT_PORT)
    .option(
      '--state-dir <path>',
      'its own ledger; default SANDBOX_STATE_DIR',
      sandboxDefaults.stateDir ?? DEFAULT_STATE_DIR,
    )
    .option(
      '--hyperswitch-port <port>',
      'where Hyperswitch listens; default SANDBOX_HYPERSWITCH_PORT, not at all where only PORT is set',
      // Whoever chose PORT runs this beside others, and a port that was not chosen could be theirs.
      sandboxDefaults.hyperswitchPort ?? (sandboxDefaults.port === undefined ? DEFAULT_HYPERSWITCH_PORT : undefined),
    )
    .option(
      '--hyperswitch-webhook-url <url>',
      "where Hyperswitch's events are sent; default SANDBOX_HYPERSWITCH_WEBHOOK_URL, nowhere without it",
      sandboxDefaults.hyperswitchWebhookUrl,
    )
    .option(
      '--stripe-port <port>',
      'where Stripe listens; default SANDBOX_STRIPE_PORT, not at all where only PORT is set',
      sandboxDefaults.stripePort ?? (sandboxDefaults.port === undefined ? DEFAULT_STRIPE_PORT : undefined),
    )
    .option(
      '--stripe-webhook-url <url>',
      "where Stripe's events are sent; default SANDBOX_STRIPE_WEBHOOK_URL, nowhere without it",
      sandboxDefaults.stripeWebhookUrl,
    )
    .option(
      '--tempo-port <port>',
      'where the Tempo node listens; default SANDBOX_TEMPO_PORT, not at all where only PORT is set',
      sandboxDefaults.tempoPort ?? (sandboxDefaults.port === undefined ? DEFAULT_TEMPO_PORT : undefined),
    )
    .action(async ({ port, stateDir, hyperswitchPort, stripePort, tempoPort, ...webhooks }: SandboxFlags) => {
      const ports = {
        authServer: portOf(port),
        hyperswitch: hyperswitchPort === undefined ? undefined : portOf(hyperswitchPort),
        stripe: stripePort === undefined ? undefined : portOf(stripePort),
        tempo: tempoPort === undefined ? undefined : portOf(tempoPort),
      };
      for (const url of Object.values(webhooks))
        if (!URL.canParse(url))
          throw new CommandRefused(`${url} is no URL; example: http://127.0.0.1:3000/webhooks/stripe`);
      await runSandbox({ stateDir, ports, ...webhooks });
    });
}

interface SandboxFlags {
  readonly port: string;
  readonly stateDir: string;
  readonly hyperswitchPort?: string;
  readonly stripePort?: string;
  readonly tempoPort?: string;
  readonly stripeWebhookUrl?: string;
  readonly hyperswitchWebhookUrl?: string;
}

function portOf(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new CommandRefused(`${text} is no port; example: makegood sandbox --port ${DEFAULT_PORT}`);
}
