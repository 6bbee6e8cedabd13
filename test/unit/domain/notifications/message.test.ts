import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { waitBefore } from '../../../../src/domain/notifications/delivery.js';
import { mailDestination, webhookDestination } from '../../../../src/domain/notifications/destinations.js';
import { type Message, mailOf, webhookBody } from '../../../../src/domain/notifications/message.js';

const message = (currency: string, count = 1): Message => ({
  id: '01a22bf1-b114-7cd0-965d-90b3f59a1ac4',
  stage: 'first',
  contents: {
    reason: 'retries_exhausted',
    writtenAt: '2026-01-10T12:00:00.000Z',
    oldestSince: '2026-01-10T09:30:00.000Z',
    count,
    totals: [{ currency, decimals: 6, amount: '1500000', count }],
    kinds: [{ kind: 'reversal', count }],
    items: [
      {
        kind: 'reversal',
        id: '11111111-1111-8111-8111-111111111111',
        orderId: '22222222-2222-7222-8222-222222222222',
        amount: '1500000',
        currency,
        decimals: 6,
        since: '2026-01-10T09:30:00.000Z',
      },
    ],
  },
});

describe('a message', () => {
  it('tells amount, age, reason, runbook and where to look', () => {
    const { subject, text, html } = mailOf(message('USDC', 3), 'https://pay.example.com');
    expect(subject).toBe('[Makegood] retries_exhausted: 3 items need a person');
    for (const said of [text, html]) {
      expect(said).toContain('1.5 USDC');
      expect(said).toContain('2 h when this was written');
      expect(said).toContain('docs/runbooks/reversal-permanently-failed.md');
      expect(said).toContain('https://pay.example.com/console/item/reversal/11111111-1111-8111-8111-111111111111');
      expect(said).toContain('and 2 more');
    }
    expect(JSON.parse(webhookBody(message('USDC', 3), undefined))).toMatchObject({
      type: 'makegood.attention',
      data: {
        more: 2,
        items: [{ console_url: null }],
        kinds: [{ runbook: 'docs/runbooks/reversal-permanently-failed.md' }],
      },
    });
  });

  it('holds no markup and no further line of what somebody else named', () => {
    const hostile = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=x>',
        'a\r\nBcc: x@example.com',
        '\u202Eevil',
        '&lt;',
      ),
    );
    fc.assert(
      fc.property(hostile, (currency) => {
        const plain = mailOf(message('USDC'), undefined);
        const { subject, text, html } = mailOf(message(currency), undefined);
        expect(subject).toBe(plain.subject);
        expect(text.split(/\r\n|[\n\r\u2028\u2029]/).length).toBe(plain.text.split('\n').length);
        const tags = (page: string) => page.match(/<[^>]*>/g);
        expect(tags(html)).toEqual(tags(plain.html));
        expect(() => JSON.parse(webhookBody(message(currency), undefined)) as unknown).not.toThrow();
      }),
    );
  });

  it('is for a destination whose name tells neither its address nor its secrets', () => {
    const webhook = webhookDestination('first', 'https://hooks.example.com/services/T0K3N?key=s3cret', ['whsec_abc']);
    expect(webhook.id).toMatch(/^webhook:hooks\.example\.com:[0-9a-f]{8}$/);
    expect(mailDestination('first', 'ada@example.com').id).toMatch(/^mail:example\.com:[0-9a-f]{8}$/);
    expect(mailDestination('escalation', 'ada@example.com').id).not.toBe(
      mailDestination('first', 'ada@example.com').id,
    );
  });

  it('is tried again ever later, as late as the receiver asks, and at least every quarter of an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 10_000_000 }), (attempt, asked) => {
        const wait = waitBefore(attempt, asked);
        expect(wait).toBeGreaterThanOrEqual(10_000);
        expect(wait).toBeLessThanOrEqual(15 * 60_000);
        expect(wait).toBeGreaterThanOrEqual(Math.min(asked, 15 * 60_000));
        expect(waitBefore(attempt + 1, asked)).toBeGreaterThanOrEqual(wait);
      }),
    );
    expect([1, 2, 3].map((attempt) => waitBefore(attempt))).toEqual([10_000, 20_000, 40_000]);
  });
});
