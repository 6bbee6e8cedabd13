import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { stackSecrets } from '../../sandbox/stack/secrets.js';
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
  /** The same, of a command that says by its end that something is ill. */
  typeToFail(begins: string, given?: Readonly<Record<string, string>>): Promise<string>;
  /** Commands of the page that nobody has typed. */
  untyped(): readonly string[];
}

export interface RunbookFolder {
  /** @param section the words of a heading: only the commands below it */
  open(page: string, section?: string): RunbookShell;
  remove(): void;
}

/** @param environment of whoever types, on top of ours */
export function runbookFolder(at: StackEndpoints, environment: NodeJS.ProcessEnv = {}): RunbookFolder {
  const path = temporaryPath('runbooks');
  mkdirSync(join(path, '.makegood'), { recursive: true });
  writeFileSync(join(path, '.makegood', 'endpoints.json'), JSON.stringify(at));
  stackSecrets(join(path, '.makegood'));
  for (const name of ['bin', '.tools']) symlinkSync(join(projectRoot(), name), join(path, name));
  const [preparation = ''] = blocksOf('README').filter((block) => block.includes('endpoints.json'));
  return {
    remove: () => rmSync(path, { recursive: true, force: true }),
    open(page, section) {
      const commands = blocksOf(page, section).flatMap(commandsIn);
      const typed = new Set<string>();
      async function run(begins: string, given: Readonly<Record<string, string>>, as: 'operator' | 'approver') {
        const [command, ...others] = commands.filter((one) => one.startsWith(begins));
        if (command === undefined || others.length > 0)
          throw new Error(`${others.length + Number(command !== undefined)} commands of ${page} begin with: ${begins}`);
        const filled = command.replaceAll(PLACE, (place, name: string) => given[name] ?? place);
        const script = [
          preparation,
          `export MAKEGOOD_TOKEN=${as === 'approver' ? '$APPROVER' : '$OPERATOR'}`,
          filled,
        ].join('\n');
        typed.add(command);
        const options = { cwd: path, env: { ...process.env, ...environment } };
        return await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], options);
      }
      return {
        type: async (begins, given = {}, as = 'operator') => (await run(begins, given, as)).stdout,
        async typeToFail(begins, given = {}) {
          const ended = await run(begins, given, 'operator').catch(
            (error: { code?: unknown; stdout?: string }) => error,
          );
          if (!('code' in ended) || ended.code !== 1) throw new Error(`${begins} was to end with 1`);
          return ended.stdout ?? '';
        },
        untyped: () => commands.filter((command) => !typed.has(command)),
      };
    },
  };
}

const blocksOf = (page: string, section?: string): string[] =>
  [...sectionOf(readDocument(`docs/runbooks/${page}.md`), section).matchAll(/^( *)```sh\n(.*?)^ *```/gms)].map(
    ([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** What stands below a heading. @param section its words; left out: all of the page */
export function sectionOf(page: string, section: string | undefined): string {
  if (section === undefined) return page;
  const [, below] = page.split(`\n## ${section}\n`);
  if (below === undefined) throw new Error(`there is no heading: ${section}`);
  return below.split('\n## ')[0] ?? '';
}

/** One for each line, and a line that goes on is one with the next. */
const commandsIn = (block: string): string[] =>
  block
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
