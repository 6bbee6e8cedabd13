import { once } from 'node:events';
import { startHyperswitchSandbox } from './start.js';

export interface RunHyperswitchOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Where events are sent, signed with {@link SANDBOX_WEBHOOK_SECRET}. */
  readonly webhookUrl?: string | undefined;
  /** Receives the line that says where it listens; stderr by default. */
  readonly say?: (line: string) => void;
}

/**
 * `makegood sandbox`: runs the stand-in of Hyperswitch until SIGTERM or SIGINT.
 * @throws Error when the port is taken or the journal is damaged
 */
export async function runHyperswitchSandbox(options: RunHyperswitchOptions): Promise<void> {
  const { port, stateDir, webhookUrl } = options;
  const say = options.say ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const sandbox = await startHyperswitchSandbox({
    port,
    stateDir,
    ...(webhookUrl === undefined ? {} : { webhooks: { url: webhookUrl } }),
  });
  say(`sandbox hyperswitch listening on ${sandbox.url}, state in ${stateDir}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await sandbox.close();
}
