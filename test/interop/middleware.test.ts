import cors from 'cors';
import type { RequestHandler } from 'express';
import session, { MemoryStore } from 'express-session';
import helmet from 'helmet';
import morgan from 'morgan';
import { describe, expect, it } from 'vitest';
import { ANSWERS, buy, mountAnswers, pathOf, read } from './support/answers.js';
import { shopForFile } from './support/shop.js';

const ORIGIN = 'https://reader.example';

/** Lines of morgan, by the URL that they are about. */
const logged = new Map<string, string>();
const log = morgan('":url" :status :res[content-length]', {
  stream: {
    write(line) {
      const [url = '', said = ''] = line.slice(1).trim().split('" ');
      logged.set(url, said);
    },
  },
});
/** Every visitor is remembered, and how often he came. */
const remember = session({ secret: 'of the test', resave: false, saveUninitialized: false, store: new MemoryStore() });
const count: RequestHandler = (req, res, next) => {
  const visited = (req as typeof req & { session: { visits?: number } }).session;
  visited.visits = (visited.visits ?? 0) + 1;
  res.set('X-Visits', String(visited.visits));
  next();
};
const share = cors({ origin: ORIGIN, credentials: true, exposedHeaders: ['Settlement-Id'] });

const LAYERS: Readonly<Record<string, readonly RequestHandler[]>> = {
  morgan: [log],
  'express-session': [remember, count],
  helmet: [helmet()],
  cors: [share],
  'all of them': [log, helmet(), share, remember, count],
};
const PLACES = ['before', 'after'] as const;
const TRIED = Object.keys(LAYERS).flatMap((part) => PLACES.map((place) => [part, place] as const));
const chainOf = ([part, place]: (typeof TRIED)[number]) => `${part.replaceAll(' ', '-')}-${place}`;

const shop = await shopForFile((app, sessions) => {
  for (const tried of TRIED) {
    const [part, place] = tried;
    mountAnswers({ app, sessions }, chainOf(tried), { [place]: LAYERS[part] ?? [] });
  }
});

/** Not of two answers at different times by different clients. */
const OF_ITS_TIME = new Set(['date', 'set-cookie', 'x-visits', 'connection', 'keep-alive']);
/** What a paid answer says beside. */
const OF_A_SALE = new Set(['settlement-id', 'payment-response', 'cache-control', 'vary']);
const comparable = (headers: Headers) =>
  [...headers].filter(([name]) => !OF_ITS_TIME.has(name) && !OF_A_SALE.has(name));

const wordsOf = (list: string | null) => (list ?? '').split(',').flatMap((word) => word.trim() || []);

const asked = { headers: { Origin: ORIGIN } };

describe('middleware of Express', () => {
  it.each(TRIED)(
    '%s %s the paid route leaves buffered, streamed, settled-first and failed answers as they are, and their charges',
    async (...tried) => {
      const layers = LAYERS[tried[0]] ?? [];
      for (const answer of ANSWERS) {
        const path = pathOf(chainOf(tried), answer);
        const free = await read(await fetch(`${shop.url}/free${path}`, asked));
        const sold = await buy(shop.url + path, answer, asked);
        expect([sold.status, sold.body], path).toEqual([answer.status, free.body]);
        expect(comparable(sold.headers), path).toEqual(comparable(free.headers));
        expect(wordsOf(sold.headers.get('vary')), path).toEqual(
          expect.arrayContaining([...wordsOf(free.headers.get('vary')), 'PAYMENT-SIGNATURE']),
        );
        await shop.expectCharges(path, [answer.charge]);
        const told = [sold.headers.get('set-cookie'), sold.headers.get('x-visits')];
        const remembers = layers.includes(count);
        expect(told, path).toEqual(remembers ? [expect.stringMatching(/^connect\.sid=/), '1'] : [null, null]);
        if (layers.includes(log)) {
          const length = sold.headers.get('content-length') ?? '-';
          await expect.poll(() => logged.get(path)).toBe(`${answer.status} ${length}`);
        }
      }
    },
  );

  it('helmet and cors before the paid route speak in its 402 too, and morgan logs it', async () => {
    const path = '/all-of-them-before/buffered';
    const { status, headers } = await read(await fetch(shop.url + path, asked));
    expect([status, headers.get('access-control-allow-origin'), headers.get('cache-control')]).toEqual([
      402,
      ORIGIN,
      'no-store',
    ]);
    expect([...headers.keys()]).toEqual(expect.arrayContaining(['content-security-policy', 'payment-required']));
    await expect.poll(() => logged.get(path)).toBe(`402 ${headers.get('content-length')}`);
  });
});
