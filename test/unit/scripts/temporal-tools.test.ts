import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type TemporaryProject, temporaryProject } from './temporary-project.js';

const SCRIPT = 'scripts/temporal-tools.mjs';
/** Says what the real program says when it is asked whether it can do what the stack needs. */
const SUITABLE = '#!/bin/sh\necho "--http-port --sqlite-pragma"\n';

const serve = (listener: RequestListener): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer(listener).listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  });

const asked = (project: TemporaryProject, env: Readonly<Record<string, string>>, ...more: string[]) =>
  project.run(SCRIPT, ['temporal', ...more], { PATH: '/usr/bin:/bin', ...env });

it('takes the program of the environment variable first, and leaves its path for the others', async () => {
  const project = temporaryProject();
  const given = project.write('elsewhere/temporal', SUITABLE, 0o755);
  const onPath = project.write('bin/temporal', SUITABLE, 0o755);
  const ran = await asked(project, { TEMPORAL_CLI: given, PATH: `${join(onPath, '..')}:/usr/bin:/bin` });
  expect(ran.stdout).toBe(`temporal ${given}\n`);
  expect(JSON.parse(readFileSync(join(project.root, '.tools/paths.json'), 'utf8'))).toEqual({ temporal: given });
});

it('refuses a variable that names no program, instead of quietly taking another one', async () => {
  const project = temporaryProject();
  const ran = await asked(project, { TEMPORAL_CLI: '/nowhere/temporal' });
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining('TEMPORAL_CLI=/nowhere/temporal') });
});

it('passes over a program on PATH that cannot do what is needed', async () => {
  const project = temporaryProject();
  project.write('old/temporal', '#!/bin/sh\necho "an old one"\n', 0o755);
  const good = project.write('good/temporal', SUITABLE, 0o755);
  const ran = await asked(project, { PATH: `${project.root}/old:${project.root}/good:/usr/bin:/bin` });
  expect(ran.stdout).toBe(`temporal ${good}\n`);
});

it("installs from Temporal's own download once, and needs no network afterwards", async () => {
  const project = temporaryProject();
  project.write('packed/temporal', SUITABLE, 0o755);
  const archive = join(project.root, 'archive.tar.gz');
  spawnSync('tar', ['-czf', archive, '-C', join(project.root, 'packed'), 'temporal']);
  const requests: string[] = [];
  const url = await serve((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/archive') response.end(readFileSync(archive));
    else
      response.end(JSON.stringify({ archiveUrl: `http://${request.headers.host}/archive`, fileToExtract: 'temporal' }));
  });
  const first = await asked(project, { TEMPORAL_DOWNLOAD_URL: url });
  expect(first.stderr).toMatch(/installed from Temporal's own download in \d/);
  expect(requests).toHaveLength(2);
  const again = await asked(project, { TEMPORAL_DOWNLOAD_URL: url });
  expect(again).toMatchObject({ status: 0, stdout: first.stdout, stderr: '' });
  expect(requests).toHaveLength(2);
});

it('two at the same moment install once', async () => {
  const project = temporaryProject();
  project.write('packed/temporal', SUITABLE, 0o755);
  const archive = join(project.root, 'archive.tar.gz');
  spawnSync('tar', ['-czf', archive, '-C', join(project.root, 'packed'), 'temporal']);
  let downloads = 0;
  const url = await serve((request, response) => {
    if (request.url === '/archive') {
      downloads += 1;
      response.end(readFileSync(archive));
    } else
      response.end(JSON.stringify({ archiveUrl: `http://${request.headers.host}/archive`, fileToExtract: 'temporal' }));
  });
  const ran = await Promise.all([1, 2, 3].map(() => asked(project, { TEMPORAL_DOWNLOAD_URL: url })));
  expect(ran.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(downloads).toBe(1);
});

it('says of every way it tried why it failed, and what to do', async () => {
  const project = temporaryProject();
  const url = await serve((_request, response) => response.writeHead(503).end());
  const ran = await asked(project, { TEMPORAL_DOWNLOAD_URL: url }, '--only=download');
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain("Temporal's own download: it answered 503");
  expect(ran.stderr).toContain('put it on PATH or into TEMPORAL_CLI');
});

it('never installs a wheel whose hash is not the recorded one', () => {
  const requirements = readFileSync(join(import.meta.dirname, '../../../scripts/requirements-tools.txt'), 'utf8');
  const pins = requirements.split('\n').filter((line) => /^[a-z]/.test(line));
  expect(pins.map((line) => /==\d+\.\d+\.\d+ \\$/.test(line))).toEqual([true, true]);
  expect(requirements.match(/--hash=sha256:[0-9a-f]{64}/g)).toHaveLength(8);
  expect(readFileSync(join(import.meta.dirname, '../../../', SCRIPT), 'utf8')).toContain("'--require-hashes'");
});
