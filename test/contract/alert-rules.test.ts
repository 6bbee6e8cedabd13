import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createMetrics } from '../../src/observability/metrics.js';
import { NO_FIGURES } from '../support/api.js';
import { isPassedOverWithout, promtoolProgram } from '../support/programs.js';
import { EVERY_SERIES, PLANTED, type State } from './planted-states.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RULES = join(ROOT, 'docs/operations/makegood.rules.yml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}
const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);

const MINUTES = 70;

/** The series as the product itself would write them: a metric that is renamed there is missing here. */
async function seriesOf(state: State | State['figures']) {
  const { figures, temporal = true, scraped = 1 } = typeof state === 'function' ? { figures: state } : state;
  const values = new Map<string, (string | undefined)[]>();
  for (let minute = 0; minute <= MINUTES; minute += 1) {
    const counted = figures(minute);
    const metrics = createMetrics({
      figures: () =>
        counted ? Promise.resolve({ ...NO_FIGURES, ...counted }) : Promise.reject(new Error('Postgres is away')),
      components: { temporal: () => Promise.resolve(temporal) },
    });
    const { text } = await metrics.scrape();
    for (const line of text.split('\n')) {
      const [, series, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      if (series === undefined || value === undefined) continue;
      const sofar = values.get(series) ?? [];
      sofar[minute] = value;
      values.set(series, sofar);
    }
  }
  const own = [...values].map(([series, samples]) => ({
    series: series.endsWith('}')
      ? series.replace('}', ',job="makegood",instance="a"}')
      : `${series}{job="makegood",instance="a"}`,
    values: Array.from({ length: MINUTES + 1 }, (_, minute) => samples[minute] ?? '_').join(' '),
  }));
  return scraped === null
    ? own
    : [...own, { series: 'up{job="makegood",instance="a"}', values: `${scraped}x${MINUTES}` }];
}

const directory = mkdtempSync(join(tmpdir(), 'makegood-rules-'));
afterAll(() => rmSync(directory, { recursive: true }));

function promtool(...args: string[]): string {
  try {
    return execFileSync(promtoolProgram(), args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `promtool ${args.join(' ')} failed: ${stdout ?? ''}${stderr ?? String(error)}`;
  }
}

describe.skipIf(isPassedOverWithout('promtool'))('alert rules, evaluated by Prometheus', () => {
  it('are valid', () => {
    expect(promtool('check', 'rules', RULES)).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it.each(PLANTED)('when %s: exactly the right ones fire', async (_what, state, minute, firing) => {
    const file = join(directory, 'planted.yml');
    const query = {
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${minute}m`,
      exp_samples: [...new Set(firing)].sort().map((alertname) => ({
        labels: `{alertname="${alertname}"}`,
        value: firing.filter((one) => one === alertname).length,
      })),
    };
    const test = { interval: '1m', input_series: await seriesOf(state), promql_expr_test: [query] };
    writeFileSync(file, stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: [test] }, { lineWidth: 0 }));
    expect(promtool('test', 'rules', file)).toContain('SUCCESS');
  });
});

describe('alert rules', () => {
  it('each fire in one of the planted states', () => {
    const fired = new Set(PLANTED.flatMap(([, , , firing]) => firing));
    expect([...fired].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it('ask only for metrics that the product has', async () => {
    const series = await seriesOf(() => EVERY_SERIES);
    const known = new Set(series.map((one) => one.series.replace(/\{.*/, '')));
    const asked = rules.flatMap(({ expr }) => expr.match(/\b(?:makegood|settle)_[a-z_]+|\bup\b/g) ?? []);
    expect(asked.length).toBeGreaterThanOrEqual(rules.length);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(rules)('$alert says what to do, and its runbook is there and names it', ({ alert, annotations, labels }) => {
    expect(annotations.summary).toMatch(/.{10}/);
    expect(annotations.description).toMatch(/.{30}/);
    expect(['page', 'ticket']).toContain(labels.severity);
    const runbook = join(ROOT, annotations.runbook_url ?? 'none');
    expect(existsSync(runbook)).toBe(true);
    expect(readFileSync(runbook, 'utf8')).toContain(alert);
  });
});
