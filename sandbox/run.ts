import { once } from 'node:events';
import { lockInstance } from './stack/instance-lock.js';
import type { StandIn } from './stand-in/listener.js';
import { SANDBOX_STRIPE_WEBHOOK_SECRET } from './stripe/defaults.js';

export interface RunSandboxOptions {
  readonly stateDir: string;
  /** One that is given no port does not run. */
  readonly ports: {
    readonly authServer: number;
    readonly hyperswitch: number | undefined;
    readonly stripe: number | undefined;
    readonly tempo: number | undefined;
  };
  /** Where events are sent, signed with the default secrets; nowhere where it is not said. */
  readonly hyperswitchWebhookUrl?: string | undefined;
  readonly stripeWebhookUrl?: string | undefined;
}

/**
 * `makegood sandbox`: runs the stand-ins until SIGTERM or SIGINT.
 * @throws Error when a port is taken, a journal is damaged or somebody else writes it
 */
export async function runSandbox(options: RunSandboxOptions): Promise<void> {
  const unlock = await lockInstance(options.stateDir);
  try {
    await standIns(options);
  } finally {
    unlock();
  }
}

async function standIns(options: RunSandboxOptions): Promise<void> {
  const { stateDir, ports, hyperswitchWebhookUrl, stripeWebhookUrl } = options;
  const run = async (name: string, starting: Promise<StandIn>) => {
    const standIn = await starting;
    process.stderr.write(`sandbox ${name} listening on ${standIn.url}, state in ${stateDir}\n`);
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    await standIn.close();
  };
  // Each is loaded only where it runs.
  const { startAuthServerSandbox } = await import('./auth-server/start.js');
  // A stranger's forged authorization is refused, as it would be on a chain.
  const running = [
    run('auth server', startAuthServerSandbox({ port: ports.authServer, stateDir, checkSignatures: true })),
  ];
  if (ports.hyperswitch !== undefined) {
    const { startHyperswitchSandbox } = await import('./hyperswitch/start.js');
    const webhooks = hyperswitchWebhookUrl === undefined ? {} : { url: hyperswitchWebhookUrl };
    // Where both run, what buyers pay lies at Stripe.
    const behind = ports.stripe === undefined ? {} : { stripe: { url: `http://127.0.0.1:${ports.stripe}` } };
    running.push(
      run('hyperswitch', startHyperswitchSandbox({ port: ports.hyperswitch, stateDir, webhooks, ...behind })),
    );
  }
  if (ports.stripe !== undefined) {
    const { startStripeSandbox } = await import('./stripe/start.js');
    const webhook =
      stripeWebhookUrl === undefined
        ? {}
        : { webhook: { url: stripeWebhookUrl, secrets: [SANDBOX_STRIPE_WEBHOOK_SECRET] } };
    running.push(run('stripe', startStripeSandbox({ port: ports.stripe, stateDir, ...webhook })));
  }
  if (ports.tempo !== undefined) {
    const { startTempoSandbox } = await import('./tempo/start.js');
    running.push(run('tempo node', startTempoSandbox({ port: ports.tempo, stateDir })));
  }
  await Promise.all(running);
}
