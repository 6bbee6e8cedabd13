import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { FIGURE_METRICS } from '../../src/observability/figure-metrics.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { NO_FIGURES } from '../support/api.js';
import { readDocument } from '../support/documents.js';
import { isPassedOverWithout, promtoolProgram } from '../support/programs.js';

/** The dashboards of docs/operations/grafana ask only for what is there: a metric that is renamed is missed here and not at night. */

const FOLDER = 'docs/operations/grafana';
const FILES = readdirSync(join(projectRoot(), FOLDER));

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}
const panelsOf = (file: string): readonly Panel[] => JSON.parse(readDocument(`${FOLDER}/${file}`)).panels;
const targetsOf = (file: string) =>
  panelsOf(file).flatMap(({ title, targets = [] }) => targets.map((target) => ({ ...target, title })));
const ALL = FILES.flatMap(targetsOf);

/** Of every scrape, whoever is scraped. */
const EVERYWHERE = ['job', 'instance'];
const REQUESTS = 'makegood_http_request_duration_seconds';

/** The labels of every series that a server has, by its name. */
async function labelsOfMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const metrics = createMetrics({ figures: () => Promise.resolve(NO_FIGURES) });
  metrics.observeRequest({ method: 'GET', route: '/healthz', status: 200, seconds: 0.1 });
  const { text } = await metrics.scrape();
  const scraped = text.matchAll(/^([a-z_]+)(?:\{([^}]*)\})? \S+$/gm);
  const seen = [...scraped].map(([, name = '', labels = '']): [string, string[]] => [
    name,
    [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label ?? ''),
  ]);
  return new Map<string, readonly string[]>([
    ...seen,
    ...FIGURE_METRICS.map(({ name, labels }) => [name, labels] as const),
    [`${REQUESTS}_bucket`, ['method', 'route', 'status', 'le']],
    ['up', EVERYWHERE],
  ]);
}

const metricsIn = (expr: string): string[] => expr.match(/\b(?:(?:makegood|settle)_[a-z_]+|up\b)/g) ?? [];

/** Every label that an expression selects or groups by. */
const labelsIn = (expr: string): string[] => [
  ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(', ')),
  ...[...expr.matchAll(/(\w+)=~?"/g)].map(([, name = '']) => name),
];

describe('the dashboards', () => {
  it('ask only for metrics that a server has, by labels that these have', async () => {
    const known = await labelsOfMetrics();
    expect(ALL.length).toBeGreaterThan(25);
    expect(ALL.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !known.has(name))).toEqual([]);
    const wrong = ALL.flatMap(({ title, expr }) => {
      const has = new Set([...EVERYWHERE, ...metricsIn(expr).flatMap((name) => known.get(name) ?? [])]);
      return labelsIn(expr)
        .filter((label) => !has.has(label))
        .map((label) => `${title}: ${label}`);
    });
    expect(wrong).toEqual([]);
  });

  it('name their lines by labels that are left of them', () => {
    const wrong = ALL.filter(({ expr, legendFormat }) => {
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? '');
      return named.some((label) => !labelsIn(expr).includes(label));
    });
    expect(wrong).toEqual([]);
  });

  it('show every figure about money that there is', () => {
    const shown = new Set(ALL.flatMap(({ expr }) => metricsIn(expr)));
    const kept = ['makegood_open_unknown_oldest_seconds'];
    expect(FIGURE_METRICS.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual(kept);
  });

  it.each(FILES)('%s has no two panels in one place, and none without a question', (file) => {
    const panels = panelsOf(file);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([]);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, nth) => `${x + (nth % w)} ${y + Math.floor(nth / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('are read by Prometheus', ({ skip }) => {
    if (isPassedOverWithout('promtool')) skip();
    const folder = mkdtempSync(join(tmpdir(), 'makegood-dashboards-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rules = ALL.map(({ expr }, nth) => ({ record: `panel:${nth}`, expr }));
    writeFileSync(join(folder, 'rules.yml'), stringify({ groups: [{ name: 'panels', rules }] }));
    const said = execFileSync(promtoolProgram(), ['check', 'rules', join(folder, 'rules.yml')], { encoding: 'utf8' });
    expect(said).toContain(`${ALL.length} rules found`);
  });
});
