import { once } from 'node:events';
import { startTempoSandbox } from './start.js';

export interface RunTempoOptions {
  readonly port: number;
  readonly stateDir: string;
  /** Receives the line that says where it listens; stderr by default. */
  readonly say?: (line: string) => void;
}

/**
 * `makegood sandbox`: runs the Tempo node until SIGTERM or SIGINT.
 * @throws Error when the port is taken or the journal is damaged
 */
export async function runTempoSandbox(options: RunTempoOptions): Promise<void> {
  const { port, stateDir } = options;
  const say = options.say ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const sandbox = await startTempoSandbox({ port, stateDir });
  say(`sandbox tempo node listening on ${sandbox.url}, state in ${stateDir}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await sandbox.close();
}
