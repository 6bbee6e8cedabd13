import { once } from 'node:events';
import { SANDBOX_STRIPE_WEBHOOK_SECRET } from './defaults.js';
import { startStripeSandbox } from './start.js';

export interface RunStripeOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Where events are sent, signed with {@link SANDBOX_STRIPE_WEBHOOK_SECRET}. */
  readonly webhookUrl?: string | undefined;
  /** Receives the line that says where it listens; stderr by default. */
  readonly say?: (line: string) => void;
}

/**
 * `makegood sandbox`: runs the stand-in of Stripe until SIGTERM or SIGINT.
 * @throws Error when the port is taken or the journal is damaged
 */
export async function runStripeSandbox(options: RunStripeOptions): Promise<void> {
  const { port, stateDir, webhookUrl } = options;
  const say = options.say ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const webhook =
    webhookUrl === undefined ? {} : { webhook: { url: webhookUrl, secrets: [SANDBOX_STRIPE_WEBHOOK_SECRET] } };
  const sandbox = await startStripeSandbox({ port, stateDir, ...webhook });
  say(`sandbox stripe listening on ${sandbox.url}, state in ${stateDir}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await sandbox.close();
}
