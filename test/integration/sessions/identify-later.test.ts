import { expect, test } from 'vitest';
import { openChannelShop, SOLD } from '../../support/channels/channel-shop.js';

test('an identify that promises names nobody, and its failure ends no process', async () => {
  const rejected: unknown[] = [];
  const note = (why: unknown) => void rejected.push(why);
  process.on('unhandledRejection', note);
  const later = (async () => Promise.reject(new Error('no such visitor'))) as never;
  const { shop } = await openChannelShop({
    mount: (app, sessions) => app.all('/later', sessions.paidSession({ ...SOLD, identify: later })),
  });
  const answer = await fetch(`${shop.url}/later`);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect([answer.status, rejected]).toEqual([402, []]);
});
