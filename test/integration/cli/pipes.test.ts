import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../support/database.js';

const MAKEGOOD = fileURLToPath(new URL('../../../bin/makegood.js', import.meta.url));

it('a command whose reader has seen enough ends without a word', async () => {
  const database = await createTestDatabase();
  const ended = spawnSync('sh', ['-c', `"${process.execPath}" "${MAKEGOOD}" list --json | true`], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, DATABASE_URL: database.url },
  });
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  await database.drop();
});
