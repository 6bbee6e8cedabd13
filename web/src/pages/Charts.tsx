import { Area, AreaChart, Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Overview, Point } from '../api/types.js';
import { asText } from '../format/text.js';
import { absolute, spanOf } from '../format/time.js';

type Series = Overview['series'];

interface Drawn {
  readonly field: keyof Omit<Point, 'at'>;
  readonly name: string;
  readonly colour: string;
  readonly dashed?: true;
}

const BACKLOG: readonly Drawn[] = [
  { field: 'backlog', name: 'waiting', colour: 'var(--chart-1)' },
  { field: 'needs_attention', name: 'needs a person', colour: 'var(--chart-3)', dashed: true },
];
const THROUGHPUT: readonly Drawn[] = [
  { field: 'done', name: 'done', colour: 'var(--chart-2)' },
  { field: 'failed', name: 'failed', colour: 'var(--chart-3)' },
];

/** Backlog, throughput and failures, out of Postgres; each picture has its numbers below it. */
export function Charts({ series }: { readonly series: Series }) {
  const { points, step_seconds: step } = series;
  if (points.length === 0) return <p className="muted">Nothing has happened yet.</p>;
  return (
    <div className="charts">
      <Picture title="Backlog" drawn={BACKLOG} points={points} note={`what waits, at each step of ${spanOf(step)}`}>
        <AreaChart data={[...points]} margin={MARGIN} accessibilityLayer={false}>
          {axes(points)}
          {BACKLOG.map(({ field, name, colour, dashed }) => (
            <Area
              key={field}
              type="monotone"
              dataKey={field}
              name={name}
              stroke={colour}
              strokeWidth={2}
              {...(dashed && { strokeDasharray: '5 3' })}
              fill={colour}
              fillOpacity={0.14}
              isAnimationActive={false}
            />
          ))}
        </AreaChart>
      </Picture>
      <Picture
        title="Throughput and failures"
        drawn={THROUGHPUT}
        points={points}
        note={`attempts that ended, in each ${spanOf(step)}`}
      >
        <BarChart data={[...points]} margin={MARGIN} accessibilityLayer={false}>
          {axes(points)}
          {THROUGHPUT.map(({ field, name, colour }) => (
            <Bar key={field} dataKey={field} name={name} stackId="one" fill={colour} isAnimationActive={false} />
          ))}
        </BarChart>
      </Picture>
    </div>
  );
}

/** To the right there is room for half of the label below the last step. */
const MARGIN = { top: 6, right: 20, bottom: 0, left: 0 };

const clock = (at: string): string => new Date(at).toISOString().slice(11, 16);

const axes = (points: readonly Point[]) => [
  <CartesianGrid key="grid" stroke="var(--line)" vertical={false} />,
  <XAxis
    key="x"
    dataKey="at"
    tickFormatter={clock}
    interval={Math.max(0, Math.floor(points.length / 6))}
    tick={TICK}
    stroke="var(--line)"
    tickLine={false}
  />,
  <YAxis key="y" width={38} allowDecimals={false} tick={TICK} stroke="var(--line)" tickLine={false} axisLine={false} />,
  <Tooltip
    key="tip"
    labelFormatter={(at) => absolute(asText(at))}
    contentStyle={{ background: 'var(--surface)', border: '1px solid var(--line)', borderRadius: 6, fontSize: 12 }}
    labelStyle={{ color: 'var(--muted)' }}
    itemStyle={{ color: 'var(--text)' }}
    isAnimationActive={false}
  />,
];

const TICK = { fill: 'var(--muted)', fontSize: 11 };

function Picture({
  title,
  note,
  drawn,
  points,
  children,
}: {
  readonly title: string;
  readonly note: string;
  readonly drawn: readonly Drawn[];
  readonly points: readonly Point[];
  readonly children: React.ReactElement;
}) {
  const last = points.at(-1);
  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong> <span className="muted">{note}</span>
        <ul className="legend">
          {drawn.map(({ field, name, colour, dashed }) => (
            <li key={field}>
              <svg width="14" height="8" aria-hidden="true">
                <line
                  x1="0"
                  y1="4"
                  x2="14"
                  y2="4"
                  stroke={colour}
                  strokeWidth="3"
                  {...(dashed && { strokeDasharray: '4 2' })}
                />
              </svg>
              {name}, last {last?.[field] ?? 0}
            </li>
          ))}
        </ul>
      </figcaption>
      <div className="chart-picture" aria-hidden="true">
        <ResponsiveContainer width="100%" height={150}>
          {children}
        </ResponsiveContainer>
      </div>
      <details>
        <summary>{title} in numbers</summary>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <div className="table-wrap chart-numbers" tabIndex={0} role="group" aria-label={`${title} in numbers`}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">At</th>
                {drawn.map(({ field, name }) => (
                  <th key={field} scope="col" className="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.at}>
                  <th scope="row">{absolute(point.at)}</th>
                  {drawn.map(({ field }) => (
                    <td key={field} className="number">
                      {point[field]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
