import type { Figures } from '../ledger/figure-types.js';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One figure about money, counted in Postgres at the scrape. */
export interface FigureMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  readonly samples: (figures: Figures) => readonly Sample[];
}
