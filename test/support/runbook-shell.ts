import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import type { StackEndpoints } from '../../sandbox/stack/stack.js';
import { temporaryPath } from './child-processes.js';
import { readDocument } from './documents.js';

/** What stands for something in a command: `<id>`. */
const PLACE = /<([a-z]+)>/g;

/** Types what runbooks say, as their README says to prepare a shell for it, in a folder like the clone's. */
export interface RunbookShell {
  /**
   * The command of the page that begins like this, as it stands there.
   * @param given what its `<…>` are
   * @param as whose token is in MAKEGOOD_TOKEN
   * @throws unless exactly one does, and ends well
   */
  type(begins: string, given?: Readonly<Record<string, string>>, as?: 'operator' | 'approver'): Promise<string>;
  /** Commands of the page that nobody has typed. */
  untyped(): readonly string[];
}

export interface RunbookFolder {
  open(page: string): RunbookShell;
  remove(): void;
}

export function runbookFolder(at: StackEndpoints): RunbookFolder {
  const path = temporaryPath('runbooks');
  mkdirSync(join(path, '.makegood'), { recursive: true });
  writeFileSync(join(path, '.makegood', 'endpoints.json'), JSON.stringify(at));
  for (const name of ['bin', '.tools']) symlinkSync(join(projectRoot(), name), join(path, name));
  const [preparation = ''] = blocksOf('README').filter((block) => block.includes('endpoints.json'));
  return {
    remove: () => rmSync(path, { recursive: true, force: true }),
    open(page) {
      const commands = blocksOf(page).flatMap(commandsIn);
      const typed = new Set<string>();
      return {
        async type(begins, given = {}, as = 'operator') {
          const [command, ...others] = commands.filter((one) => one.startsWith(begins));
          if (command === undefined || others.length > 0)
            throw new Error(
              `${others.length + Number(command !== undefined)} commands of ${page} begin with: ${begins}`,
            );
          const filled = command.replaceAll(PLACE, (place, name: string) => given[name] ?? place);
          const script = [
            preparation,
            `export MAKEGOOD_TOKEN=${as === 'approver' ? '$APPROVER' : '$OPERATOR'}`,
            filled,
          ];
          const { stdout } = await promisify(execFile)(
            'bash',
            ['--norc', '-euo', 'pipefail', '-c', script.join('\n')],
            {
              cwd: path,
            },
          );
          typed.add(command);
          return stdout;
        },
        untyped: () => commands.filter((command) => !typed.has(command)),
      };
    },
  };
}

const blocksOf = (page: string): string[] =>
  [...readDocument(`docs/runbooks/${page}.md`).matchAll(/^( *)```sh\n(.*?)^ *```/gms)].map(
    ([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** One for each line, and a line that goes on is one with the next. */
const commandsIn = (block: string): string[] =>
  block
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
