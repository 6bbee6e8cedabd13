import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startChild } from '../../sandbox/stack/child.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { temporaryPath, testGuard, testLog } from './child-processes.js';
import { until } from './until.js';

/** Snippets of code in a page by name: programs by the comment that they begin with, others by their language and number. */
export function snippetsIn(page: string): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language = '', code = '']) => {
    const named = /^\/\/ ([\w-]+\.ts)/.exec(code)?.[1];
    const count = (counts.get(language) ?? 0) + (named === undefined ? 1 : 0);
    counts.set(language, count);
    return [named ?? `${language} ${count}`, code] as const;
  });
  return new Map(blocks);
}

/** Listens where there is room instead of on port 3000, and says where. */
const HOST = `
import { Server } from 'node:net';
const { listen } = Server.prototype;
let name;
Server.prototype.listen = function (port, ...more) {
  const program = name;
  this.once('listening', () => console.log('listening', program, this.address().port));
  return listen.call(this, typeof port === 'object' ? { ...port, port: 0 } : 0, ...more);
};
for (name of process.argv.slice(2)) await import(\`./\${name}\`);
`;

/** What an application finds in its node_modules, by where it is in ours; types of a package that has none of its own. */
const PACKAGES = {
  makegood: '.',
  express: 'node_modules/express',
  '@types': 'node_modules/@types',
  compression: 'node_modules/compression-1.8',
  fastify: 'test/interop/node_modules/fastify',
  '@x402': 'test/interop/node_modules/@x402',
  viem: 'test/interop/node_modules/viem',
  '.bin/makegood': 'bin/makegood.js',
  '../express-4/node_modules/express': 'test/interop/node_modules/express-4',
} as const;
const TYPES = `declare module 'compression' { export default function compression(): import('express').RequestHandler }`;

export interface PageFolder {
  readonly path: string;
  /** Starts these programs in one process. @returns where each of them listens */
  serve(programs: readonly string[], env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>>;
  /** Starts a command in the folder; resolves once it has written this. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, says: string): Promise<unknown>;
  /** Runs one to its end. @throws where that is no success */
  run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string>;
  dispose(): Promise<void>;
}

/** An application of its own that has these programs, checked and compiled. @throws with what the compiler says */
export async function pageFolder(programs: ReadonlyMap<string, string>): Promise<PageFolder> {
  const path = temporaryPath('page');
  const running: { stop(): Promise<unknown> }[] = [];
  for (const [name, place] of Object.entries(PACKAGES)) {
    const link = join(path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(projectRoot(), place), link);
  }
  writeFileSync(join(path, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(path, 'host.js'), HOST);
  writeFileSync(join(path, 'types.d.ts'), TYPES);
  for (const [name, code] of programs) writeFileSync(join(path, name), code);
  writeFileSync(
    join(path, 'tsconfig.json'),
    JSON.stringify({
      extends: join(projectRoot(), 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        noImplicitReturns: false,
        typeRoots: ['node_modules/@types'],
        paths: { fastify: [join(projectRoot(), PACKAGES.fastify, 'fastify.d.ts')] },
      },
      include: ['*.ts'],
    }),
  );

  async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
    const { stdout } = await promisify(execFile)(command, args, { cwd: path, env });
    return stdout;
  }
  const tsc = join(projectRoot(), 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', '.'], process.env).catch((error: { stdout?: string }) => {
    throw new Error(`the programs of the page do not compile:\n${error.stdout}`, { cause: error });
  });

  async function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, says: string) {
    const lines: string[] = [];
    const spec = { name: args.at(-1) ?? command, command, args, cwd: path, env, graceMs: 10_000 };
    const child = await startChild({ ...spec, signal: 'SIGTERM' }, await testGuard(), (name, line) => {
      lines.push(line);
      testLog(name, line);
    });
    running.push(child);
    const ended = child.exited.then(() => Promise.reject(new Error(`it ended:\n${lines.join('\n')}`)));
    ended.catch(() => undefined);
    await Promise.race([
      ended,
      until(`${command} says ${says}`, () => lines.some((line) => line.includes(says)), { limitMs: 30_000 }),
    ]);
    return lines;
  }

  return {
    path,
    run,
    start,
    async serve(names, env) {
      const files = names.map((name) => name.replace(/ts$/, 'js'));
      const lines = await start(process.execPath, ['host.js', ...files], env, `listening ${files.at(-1)}`);
      const at = (file: string | undefined) =>
        lines.map((line) => /^listening (\S+) (\d+)$/.exec(line)).find((found) => found?.[1] === file)?.[2];
      return new Map(names.map((name, nth) => [name, `http://127.0.0.1:${at(files[nth])}`]));
    },
    async dispose() {
      await Promise.all(running.map((child) => child.stop()));
      rmSync(path, { recursive: true, force: true });
    },
  };
}
