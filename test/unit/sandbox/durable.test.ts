import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCallLog } from '../../../sandbox/auth-server/control/call-log.js';
import { createFaults, type Faults } from '../../../sandbox/auth-server/faults.js';
import { providerRoutes } from '../../../sandbox/auth-server/http/provider-routes.js';
import { createBook } from '../../../sandbox/auth-server/state/book.js';
import { systemClock } from '../../../src/domain/clock.js';
import { atxpBody, post } from '../../support/sandbox-bodies.js';

let url: string;
let faults: Faults;
let written: string[];
let reachDisk: () => void;
let failDisk: () => void;
let close: () => void;

beforeEach(async () => {
  written = [];
  const disk = new Promise<void>((resolve, reject) => {
    reachDisk = resolve;
    failDisk = () => reject(new Error('no space left on device'));
  });
  const append = (entry: object) => {
    written.push((entry as { t: string }).t);
    return disk;
  };
  const journal = { append, close: () => Promise.resolve() };
  faults = createFaults();
  const routes = providerRoutes({
    book: createBook(systemClock, journal),
    calls: createCallLog(systemClock, journal),
    faults,
    checkSignatures: false,
    closing: new AbortController().signal,
  });
  const server = createServer(express().set('env', 'test').use(routes)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/settle/atxp`;
  close = () => server.close().closeAllConnections();
});
afterEach(() => close());

it('never answers for a payment, first or repeated, before it is on disk', async () => {
  const body = atxpBody();
  const answered: boolean[] = [];
  const calls = [body, body].map((each) =>
    post(url, each).then(({ json }) => answered.push(json.alreadySettled === true)),
  );
  await expect.poll(() => written).toEqual(['call', 'debit', 'call']);
  // A call that needs no disk passes by both, so they had every chance to answer.
  expect((await post(url, {})).status).toBe(400);
  expect(answered).toEqual([]);
  reachDisk();
  await Promise.all(calls);
  expect(answered.filter(Boolean)).toEqual([true]);
});

it('never says that a payment went through which could not be written', async () => {
  const call = post(url, atxpBody());
  await expect.poll(() => written).toContain('debit');
  failDisk();
  expect((await call).status).toBe(500);
});

it('hides an answer only once the payment is on disk', async () => {
  faults.set([{ kinds: ['invalid_json'] }]);
  const hidden: number[] = [];
  const call = post(url, atxpBody()).then(({ status }) => hidden.push(status));
  await expect.poll(() => written).toContain('debit');
  expect((await post(url, {})).status).toBe(200);
  expect(hidden).toEqual([]);
  reachDisk();
  await call;
});
