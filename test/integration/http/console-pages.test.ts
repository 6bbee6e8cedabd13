import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../../support/api.js';
import { consoleApiForFile, rawGet } from '../../support/console-api.js';
import { consoleRoutes } from '../../support/console-routes.js';

const test = await consoleApiForFile();
const { api, ledger, webRoot } = test;
const SECRET = 'what the build has noted';

beforeAll(async () => {
  await test.build({
    'index.html': '<!doctype html><title>console</title>',
    'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'assets/main-1a2b.js': 'export {};',
    'assets/main-1a2b.css': 'body{}',
    '.sources': SECRET,
  });
});

const get = (path: string, method?: string) => rawGet(api.url, path, method);
const INDEX = '<!doctype html><title>console</title>';

describe('the pages of the console', () => {
  it.each([
    '/console',
    '/console/',
    '/console/settlements',
    '/console/webhooks/stripe:evt_1',
    '/console/search?q=a%2Fb',
  ])('%s is the index, which nobody keeps', async (path) => {
    const { status, text, headers } = await get(path);
    expect([status, text, headers['cache-control']]).toEqual([200, INDEX, 'no-cache']);
    expect(headers['content-type']).toMatch(/^text\/html/);
  });

  it('has assets that are kept for ever, because their names tell their content', async () => {
    const { status, text, headers } = await get('/console/assets/main-1a2b.js');
    expect([status, text]).toEqual([200, 'export {};']);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toMatch(/^text\/javascript/);
    expect((await get('/console/assets/gone-1a2b.js')).status).toBe(404);
    expect((await get('/console/icon.svg')).headers['content-type']).toBe('image/svg+xml');
  });

  it.each(['/console', '/console/assets/main-1a2b.js'])(
    '%s lets no foreign script run and no page frame it',
    async (path) => {
      const { headers } = await get(path);
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'self'",
          "script-src 'self'",
          "style-src 'self'",
          "object-src 'none'",
          "base-uri 'none'",
          "form-action 'self'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(policy.filter((rule) => rule.includes('unsafe'))).toEqual([]);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['x-powered-by']).toBeUndefined();
    },
  );

  it.each([
    '/console/..%2f',
    '/console/..%2f..%2fetc%2fpasswd',
    '/console/../package.json',
    '/console/%2e%2e/%2e%2e/etc/passwd',
    '/console/assets/..%2f..%2f..%2fetc%2fpasswd',
    '/console/assets/%2e%2e%2f.sources',
    '/console/%252e%252e%252fetc',
    '/console/..%5c..%5cetc',
    '/console/index.html%00.js',
    '/console/%00',
    '/console//etc/passwd',
    '/console/.sources',
    '/console/assets/.git/config',
    '/console/%e0%a4%a',
    '/console/%ff',
    '/console/a%0d%0aSet-Cookie:x=1',
  ])('%s leads nowhere', async (path) => {
    const { status, text, headers } = await get(path);
    expect([status, JSON.parse(text).code]).toEqual([404, 'not_found']);
    expect(text).not.toContain(SECRET);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('take nothing but reads', async () => {
    const { status, text, headers } = await get('/console/settlements', 'POST');
    expect([status, JSON.parse(text).code, headers.allow]).toEqual([405, 'method_not_allowed', 'GET, HEAD']);
    const head = await get('/console', 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('are missed with a word on how they are made, where nobody has built them', async () => {
    const other = await startApi({ ledger, console: consoleRoutes({ ledger, webRoot: join(webRoot, 'none') }) });
    const answer = await other.send('/console/settlements');
    const asset = await other.send('/console/assets/x.js');
    await other.close();
    expect([answer.status, asset.status]).toEqual([503, 404]);
    expect(answer.text).toContain('npm run build');
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});
