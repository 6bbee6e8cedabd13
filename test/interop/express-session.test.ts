import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import session, { MemoryStore, type SessionOptions } from 'express-session';
import { describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import type { PaidSessions } from '../../src/sessions/index.js';
import { credentialFor } from '../support/sessions/paying.js';
import { ask } from '../unit/sessions/support/ask.js';
import { ANSWERS, buy, mountAnswers, pathOf, read } from './support/answers.js';
import { shopForFile } from './support/shop.js';

/** A store that takes its time, as one across a network does, and tells what it was asked. */
class SlowStore extends MemoryStore {
  readonly asked: string[] = [];
  fails = false;

  override set(...[id, data, done]: Parameters<MemoryStore['set']>): void {
    this.#later('set', () => super.set(id, data, done), done);
  }

  override touch(...[id, data, done]: Parameters<NonNullable<MemoryStore['touch']>>): void {
    this.#later('touch', () => super.touch(id, data, done), done);
  }

  override destroy(...[id, done]: Parameters<MemoryStore['destroy']>): void {
    this.#later('destroy', () => super.destroy(id, done), done);
  }

  #later(what: string, act: () => void, done: ((error?: unknown) => void) | undefined): void {
    setTimeout(() => {
      this.asked.push(what);
      if (this.fails) done?.(new Error('the store is down'));
      else act();
    }, 30);
  }
}

type Visited = { session: { visits?: number; destroy(done: () => void): void } };
const visit: RequestHandler = (req, res, next) => {
  const { session: visited } = req as typeof req & Visited;
  visited.visits = (visited.visits ?? 0) + 1;
  res.set('X-Visits', String(visited.visits));
  next();
};

const stores = { changed: new SlowStore(), looked: new SlowStore(), new: new SlowStore(), broken: new SlowStore() };
const failures: string[] = [];
const keep: ErrorRequestHandler = (error: Error, _req, res, next) => {
  failures.push(error.message);
  if (res.headersSent) next(error);
  else res.status(500).end();
};

const sessionOf = (store: SlowStore, more: Partial<SessionOptions> = {}) =>
  session({ secret: 'of the test', resave: false, saveUninitialized: false, store, ...more });

const shop = await shopForFile((app: Express, sessions: PaidSessions) => {
  app.set('env', 'test');
  const changed = sessionOf(stores.changed);
  mountAnswers({ app, sessions }, 'changed-before', { before: [changed, visit] });
  mountAnswers({ app, sessions }, 'changed-after', { after: [changed, visit] });
  const looked = sessionOf(stores.looked, { rolling: true });
  mountAnswers({ app, sessions }, 'rolling', { before: [looked] });
  app.get('/log-in', looked, visit, (_req, res) => res.end());
  mountAnswers({ app, sessions }, 'new', { before: [sessionOf(stores.new, { saveUninitialized: true })] });
  mountAnswers({ app, sessions }, 'broken', { before: [sessionOf(stores.broken), visit] });
  app.use(keep);
});

const cookieOf = (headers: Headers) => headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';

describe('express-session', () => {
  it.each([
    // Its 402 is a visit too.
    ['before', 3],
    ['after', 2],
  ])(
    'changed %s the paid route: the cookie comes with the head, and the store has it before the client has the last byte',
    async (place, visits) => {
      for (const answer of ANSWERS) {
        const path = pathOf(`changed-${place}`, answer);
        const first = await buy(shop.url + path, answer);
        expect([first.status, first.headers.get('x-visits')], path).toEqual([answer.status, '1']);
        // Whoever has the whole answer may come back at once.
        const Cookie = cookieOf(first.headers);
        const second = await buy(shop.url + path, answer, { headers: { Cookie } });
        expect(second.headers.get('x-visits'), path).toBe(String(visits));
        expect(second.body === first.body, path).toBe(true);
        await shop.expectCharges(path, [answer.charge, answer.charge]);
      }
    },
  );

  it('touched and not changed: every answer rolls the cookie on, is whole, and is billed once', async () => {
    const Cookie = cookieOf((await fetch(`${shop.url}/log-in`)).headers);
    for (const answer of ANSWERS) {
      const path = pathOf('rolling', answer);
      stores.looked.asked.length = 0;
      const free = await read(await fetch(`${shop.url}/free${path}`, { headers: { Cookie } }));
      expect([free.headers.getSetCookie().length, stores.looked.asked]).toEqual([1, ['touch']]);
      stores.looked.asked.length = 0;
      const sold = await buy(shop.url + path, answer, { headers: { Cookie } });
      expect([sold.status, sold.body, cookieOf(sold.headers)], path).toEqual([answer.status, free.body, Cookie]);
      // Once for the 402, once for what it was paid for.
      expect(stores.looked.asked, path).toEqual(['touch', 'touch']);
      await shop.expectCharges(path, [answer.charge]);
    }
  });

  it('saveUninitialized: a session that nobody wrote to is saved beside an answer that is held back', async () => {
    for (const answer of ANSWERS) {
      const path = pathOf('new', answer);
      const { headers, status } = await buy(shop.url + path, answer);
      expect([status, cookieOf(headers)], path).toEqual([answer.status, expect.stringMatching(/^connect\.sid=s/)]);
      await shop.expectCharges(path, [answer.charge]);
    }
    expect(stores.new.asked).toEqual(Array.from({ length: 2 * ANSWERS.length }, () => 'set'));
  });

  it('a store that cannot save, of which Express hears once the answer has ended, cuts off none and bills none twice', async () => {
    for (const answer of ANSWERS) {
      const path = pathOf('broken', answer);
      const { headers } = await credentialFor(shop.url + path, payerAccount(`is forgotten ${path}`), answer);
      stores.broken.fails = true;
      const sold = await ask(shop.url + path, { headers: { ...headers } });
      stores.broken.fails = false;
      expect([sold.status, sold.whole], path).toEqual([answer.status, true]);
      await shop.expectCharges(path, [answer.charge]);
    }
    expect(failures).toEqual(ANSWERS.map(() => 'the store is down'));
  });
});
