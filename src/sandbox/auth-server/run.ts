import { once } from 'node:events';
import { startSandbox } from './start.js';

export interface RunSandboxOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Default true: a stranger's forged authorization is refused, as it would be on a chain. */
  readonly checkSignatures?: boolean;
  /** Receives the line that says where it listens; stderr by default. */
  readonly say?: (line: string) => void;
}

/**
 * `makegood sandbox`: runs the auth server until SIGTERM or SIGINT.
 * @throws Error when the port is taken or the journal is damaged
 */
export async function runSandbox(options: RunSandboxOptions): Promise<void> {
  const { port, stateDir, checkSignatures = true } = options;
  const say = options.say ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const sandbox = await startSandbox({ port, stateDir, checkSignatures });
  say(`sandbox auth server listening on ${sandbox.url}, state in ${stateDir}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await sandbox.close();
}
