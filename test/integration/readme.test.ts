import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { temporaryPath } from '../support/child-processes.js';
import { type MarketplaceStack, startMarketplaceStack } from '../support/marketplace/stack.js';

const readme = readFileSync(join(projectRoot(), 'README.md'), 'utf8');
const directory = temporaryPath('readme');
let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack();
  mkdirSync(join(directory, '.makegood'), { recursive: true });
  writeFileSync(join(directory, '.makegood', 'endpoints.json'), JSON.stringify(stack.at));
}, 120_000);
afterAll(async () => {
  await stack.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('the marketplace of the README does, word for word, what it says', async () => {
  const [, section = ''] = readme.split('## A marketplace in five calls');
  const [, block = ''] = /```sh\n(.*?)```/s.exec(section) ?? [];
  const [, promised = ''] = /The last line prints `(.*?)`/.exec(section) ?? [];
  // A busy machine needs longer than a reader's.
  const patient = block.replaceAll('sleep 2', 'sleep 8');
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', patient], {
    cwd: directory,
  });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').at(-1)).toBe(promised);
});
