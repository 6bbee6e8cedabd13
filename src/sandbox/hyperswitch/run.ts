import { once } from 'node:events';
import type { AutoSettings } from './auto.js';
import { startHyperswitchSandbox } from './start.js';
import type { WebhookSettings } from './webhooks.js';

export interface RunHyperswitchOptions {
  readonly port: number;
  readonly stateDir: string;
  readonly apiKey?: string | undefined;
  readonly webhooks?: WebhookSettings;
  readonly auto?: AutoSettings;
  /** Receives the line that says where it listens; stderr by default. */
  readonly say?: (line: string) => void;
}

/**
 * `makegood sandbox`: runs the stand-in of Hyperswitch until SIGTERM or SIGINT.
 * @throws Error when the port is taken or the journal is damaged
 */
export async function runHyperswitchSandbox(options: RunHyperswitchOptions): Promise<void> {
  const { say = (line: string) => void process.stderr.write(`${line}\n`), apiKey, ...rest } = options;
  const sandbox = await startHyperswitchSandbox({ ...rest, ...(apiKey === undefined ? {} : { apiKey }) });
  say(`sandbox hyperswitch listening on ${sandbox.url}, state in ${options.stateDir}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await sandbox.close();
}
