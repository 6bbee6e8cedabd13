import { join } from 'node:path';
import { startChild } from '../../../sandbox/stack/child.js';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { testGuard, testLog } from '../child-processes.js';
import { until } from '../until.js';

/** `makegood server` or `makegood worker` as an operator starts it, from the build. */
export interface RunningCommand {
  /** Of a server; empty for a worker. */
  readonly url: string;
  readonly pid: number;
  /** Everything it has logged, line by line. */
  readonly lines: string[];
  /** Resolves with the first line that holds this, of those that come after `from`. */
  says(text: string, from?: number): Promise<string>;
  stop(): Promise<unknown>;
}

const LIMIT = { limitMs: 60_000 };

/** Resolves when it is ready. @throws with what it wrote, where it ends before */
export async function startCommand(
  command: 'server' | 'worker',
  env: NodeJS.ProcessEnv,
  nodeOptions: readonly string[] = [],
): Promise<RunningCommand> {
  const lines: string[] = [];
  const spec = {
    name: command,
    command: process.execPath,
    args: [...nodeOptions, join(projectRoot(), 'bin/makegood.js'), command],
    cwd: projectRoot(),
    env,
    graceMs: 20_000,
    signal: 'SIGTERM',
  } as const;
  const child = await startChild(spec, await testGuard(), (name, line) => {
    lines.push(line);
    testLog(name, line);
  });
  let ended = false;
  const noted = child.exited.then(() => (ended = true));
  noted.catch(() => undefined);
  const says = (text: string, from = 0): Promise<string> =>
    until(
      `${command} says "${text}"`,
      () => {
        const line = lines.slice(from).find((one) => one.includes(text));
        if (line === undefined && ended) throw new Error(`the ${command} ended:\n${lines.join('\n')}`);
        return line;
      },
      LIMIT,
    );
  const ready = await says(`${command} is ready`);
  const { url = '', pid }: { url?: string; pid: number } = JSON.parse(ready);
  return { url, pid, lines, says, stop: () => child.stop() };
}
