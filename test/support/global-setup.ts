import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { reservePort } from '../../sandbox/stack/ports.js';
import { startPostgres } from '../../sandbox/stack/postgres.js';
import { build } from '../../scripts/build.mjs';
import { migrate } from '../../src/ledger/migrate.js';
import { temporaryPath, testGuard, testLog } from './child-processes.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the maintenance database of the test run's Postgres; see test/support/database.ts. */
    postgresUrl: string;
  }
}

const TEMPLATE = 'makegood_template';

/** One real Postgres for the whole run, with the migrations applied once to a template that test databases are cloned from. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [guard] = await Promise.all([testGuard(), build({ tests: true })]);
  const postgres = await startPostgres({
    directory: temporaryPath('postgres'),
    port: await reservePort(),
    password: randomBytes(16).toString('hex'),
    durable: false,
    environment: process.env,
    guard,
    log: testLog,
  });
  await makeTemplate(postgres.url);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await guard.close();
  };
}

async function makeTemplate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const template = new URL(url);
  template.pathname = `/${TEMPLATE}`;
  await migrate(template.href);
}
