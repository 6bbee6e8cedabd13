import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../../sandbox/stack/project-root.js';
import type { Finding } from '../../../../src/domain/doctor/finding.js';
import { askedFindings, oldestFindings, parkedFindings, sweepFindings } from '../../../../src/domain/doctor/ledger.js';
import { clockFinding, type ProviderProbe, providerFindings } from '../../../../src/domain/doctor/providers.js';
import { type TemporalFacts, temporalFindings } from '../../../../src/domain/doctor/temporal.js';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const MINUTES_AGO = '2026-11-21T09:55:00.000Z';
const DAYS_AGO = '2026-11-18T09:55:00.000Z';
const levels = (findings: readonly Finding[]) => findings.map(({ level }) => level);

const probe = (change: Partial<ProviderProbe>): ProviderProbe => ({
  provider: 'stripe',
  outcome: 'well',
  detail: 'answers',
  itsClockMs: null,
  atMs: NOW,
  account: 'acct_1 (test)',
  ...change,
});
const temporal = (change: Partial<TemporalFacts>): readonly Finding[] =>
  temporalFindings(
    {
      namespace: 'default',
      namespaceExists: true,
      missingAttributes: [],
      missingSchedules: [],
      pausedSchedules: [],
      pollers: [{ taskQueue: 'makegood', workflows: 1, activities: 1 }],
      ...change,
    },
    true,
  );

describe('a provider', () => {
  it('is well where it answers as ours', () => {
    expect(levels(providerFindings(probe({}), 'acct_1 (test)'))).toEqual(['ok']);
    expect(levels(providerFindings(probe({}), null))).toEqual(['ok']);
  });

  it.each(['refused', 'strange', 'no_answer'] as const)(
    'that is %s fails, with what to set and where to read',
    (outcome) => {
      for (const provider of ['auth-server', 'stripe', 'hyperswitch', 'chain'] as const) {
        const [finding] = providerFindings(probe({ provider, outcome }), null);
        expect(finding).toMatchObject({ level: 'fail', cure: expect.stringMatching(/[A-Z]+_[A-Z]+/) });
        for (const page of finding?.cure?.match(/docs\/[\w/-]+\.md/g) ?? [])
          expect(existsSync(join(projectRoot(), page))).toBe(true);
      }
    },
  );

  it("whose key is another account's fails, and one that pays itself out is told", () => {
    const [other] = providerFindings(probe({}), 'acct_2 (live)');
    expect(other).toMatchObject({ level: 'fail', says: expect.stringContaining('belongs to acct_2 (live)') });
    expect(levels(providerFindings(probe({ automaticPayouts: true }), null))).toEqual(['ok', 'warn']);
  });
});

describe('a clock', () => {
  it.each([
    [0, 'ok'],
    [5_000, 'ok'],
    [-6_000, 'warn'],
    [60_000, 'warn'],
    [-61_000, 'fail'],
  ])('that is %i ms apart is %s', (apart, level) => {
    expect(clockFinding('Stripe', NOW + apart, NOW).level).toBe(level);
  });

  it('says which way', () => {
    expect(clockFinding('Stripe', NOW - 90_000, NOW).says).toBe('Stripe: 90 s behind this machine');
    expect(clockFinding('Stripe', NOW + 90_000, NOW).says).toBe('Stripe: 90 s ahead of this machine');
  });
});

describe('Temporal', () => {
  it('is well with everything in place', () => {
    expect(new Set(levels(temporal({})))).toEqual(new Set(['ok']));
  });

  it.each<[Partial<TemporalFacts>, string, RegExp]>([
    [{ namespaceExists: false }, 'fail', /makegood migrate/],
    [{ missingAttributes: ['OrderId'] }, 'fail', /^makegood migrate$/],
    [{ missingSchedules: ['makegood-refund-sweep'] }, 'fail', /^makegood migrate$/],
    [{ pausedSchedules: ['makegood-refund-sweep'] }, 'warn', /unpause/],
    [{ pollers: [{ taskQueue: 'makegood', workflows: 0, activities: 1 }] }, 'fail', /makegood worker/],
    [{ pollers: [{ taskQueue: 'makegood-stripe', workflows: 0, activities: 0 }] }, 'fail', /makegood worker/],
  ])('tells of %j, with its cure', (change, level, cure) => {
    const [told] = temporal(change).filter((finding) => finding.level !== 'ok');
    expect(told).toMatchObject({ level, cure: expect.stringMatching(cure) });
  });

  it('needs no worker for Stripe where Stripe is not set', () => {
    const facts = {
      namespace: 'x',
      namespaceExists: true,
      missingAttributes: [],
      missingSchedules: [],
      pausedSchedules: [],
    };
    const pollers = [{ taskQueue: 'makegood-stripe', workflows: 0, activities: 0 }];
    expect(new Set(levels(temporalFindings({ ...facts, pollers }, false)))).toEqual(new Set(['ok']));
  });
});

describe('what waits', () => {
  it('is told with its age, its reason and the way to it', () => {
    expect(levels([...parkedFindings([]), ...askedFindings([]), ...oldestFindings([], NOW)])).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
    expect(askedFindings([{ kind: 'reversal', reason: 'balance_horizon', count: 2, since: DAYS_AGO }])).toEqual([
      {
        area: 'waiting',
        level: 'warn',
        says: `2 of reversals: balance_horizon, the oldest since ${DAYS_AGO}`,
        cure: 'makegood list reversals --needs-attention, then docs/runbooks/insufficient-balance.md',
      },
    ]);
    const oldest = { kind: 'refund', id: 'x', status: 'pending', count: 1 } as const;
    expect(levels(oldestFindings([{ ...oldest, since: DAYS_AGO }], NOW))).toEqual(['warn']);
    expect(levels(oldestFindings([{ ...oldest, since: MINUTES_AGO }], NOW))).toEqual(['ok']);
  });

  it('fails where a provider is not itself, and is only told of an outage', () => {
    const breaker = { provider: 'stripe', detail: 'the key is revoked', openedAt: MINUTES_AGO };
    expect(levels(parkedFindings([{ ...breaker, reason: 'config' }]))).toEqual(['fail']);
    expect(levels(parkedFindings([{ ...breaker, reason: 'outage' }]))).toEqual(['warn']);
  });

  it('names the sweeps that have not succeeded for long', () => {
    const ledgerSince = '2026-01-01T00:00:00.000Z';
    expect(levels(sweepFindings([{ lane: 'refund', succeededAt: MINUTES_AGO, ledgerSince }], NOW))).toEqual(['ok']);
    const young = { lane: 'refund', succeededAt: null, ledgerSince: MINUTES_AGO };
    expect(levels(sweepFindings([young], NOW))).toEqual(['ok']);
    const [late] = sweepFindings([{ lane: 'refund', succeededAt: null, ledgerSince }], NOW);
    expect(late).toMatchObject({ level: 'warn', says: expect.stringContaining('refund (never)') });
  });
});
