import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { itemQuery } from '../api/queries.js';
import type { Explanation, ListedItem } from '../api/types.js';
import { type Money, moneyInWords, moneyOf } from '../format/money.js';
import { asText } from '../format/text.js';
import { Panel } from './Panel.js';
import { StatusTag } from './Status.js';

interface Node {
  readonly kind: string;
  readonly id: string;
  readonly status: string;
  readonly amount: string;
  /** What it came of. */
  readonly from: readonly string[];
}

const WIDTH = 172;
const HEIGHT = 74;
const GAP_X = 22;
const GAP_Y = 14;

/** The order, what was paid and sent of it, and what came of that: each a link, the lines drawn between them. */
export function RelatedGraph({ self, item }: { readonly self: Explanation; readonly item: ListedItem | undefined }) {
  const orderId = self.kind === 'order' ? self.id : item?.['order_id'];
  const order = useQuery({ ...itemQuery('order', String(orderId)), enabled: typeof orderId === 'string' });
  const nodes = order.data ? nodesOfOrder(order.data) : nodesOf(self);
  if (nodes.length < 2) return null;
  return (
    <Panel title="What belongs together">
      <Graph nodes={nodes} self={`${self.kind}/${self.id}`} />
    </Panel>
  );
}

function Graph({ nodes, self }: { readonly nodes: readonly Node[]; readonly self: string }) {
  const placed = placesOf(nodes);
  const at = new Map(placed.map((one) => [`${one.node.kind}/${one.node.id}`, one]));
  const width = Math.max(...placed.map(({ x }) => x)) + WIDTH;
  const height = Math.max(...placed.map(({ y }) => y)) + HEIGHT;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="graph-wrap" tabIndex={0} role="group" aria-label="What belongs together">
      <ul className="graph" style={{ width, height }}>
        <li className="graph-lines" aria-hidden="true">
          <svg width={width} height={height}>
            {placed.flatMap(({ node, x, y }) =>
              node.from.flatMap((name) => {
                const start = at.get(name);
                return start
                  ? [
                      <path
                        key={`${name} ${node.id}`}
                        d={curve(start.x + WIDTH, start.y + HEIGHT / 2, x, y + HEIGHT / 2)}
                      />,
                    ]
                  : [];
              }),
            )}
          </svg>
        </li>
        {placed.map(({ node, x, y, depth }) => {
          const isSelf = `${node.kind}/${node.id}` === self;
          return (
            <li
              key={`${node.kind}/${node.id}`}
              className="graph-node"
              data-depth={depth}
              style={{ left: x, top: y, width: WIDTH, height: HEIGHT }}
            >
              <Link
                to="/item/$kind/$id"
                params={{ kind: node.kind, id: node.id }}
                className={isSelf ? 'node node-self' : 'node'}
                aria-current={isSelf ? 'page' : undefined}
              >
                <span className="node-kind">
                  {node.kind} <code>{node.id.slice(0, 8)}</code>
                </span>
                <span className="node-amount">{node.amount}</span>
                <StatusTag kind={node.kind} status={node.status} />
              </Link>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const curve = (x1: number, y1: number, x2: number, y2: number): string => {
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
};

interface Placed {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
  readonly depth: number;
}

const DEPTH: Readonly<Record<string, number>> = {
  channel: 0,
  order: 0,
  settlement: 1,
  payment: 1,
  transfer: 1,
  refund: 2,
  dispute: 2,
  reversal: 3,
};

/** In columns by what comes of what; each column in the order of its parents. */
function placesOf(nodes: readonly Node[]): readonly Placed[] {
  const depths = [...new Set(nodes.map(({ kind }) => DEPTH[kind] ?? 1))].sort((one, other) => one - other);
  // what goes to sellers stands below what goes to the buyer, so that no line runs under a box
  const below = nodes.filter(({ kind }) => kind === 'refund' || kind === 'dispute').length;
  const rows = new Map<string, number>();
  return [...nodes]
    .sort((one, other) => (DEPTH[one.kind] ?? 1) - (DEPTH[other.kind] ?? 1))
    .map((node) => {
      const depth = depths.indexOf(DEPTH[node.kind] ?? 1);
      const isBelow = node.kind === 'transfer' || node.kind === 'reversal';
      const column = `${depth} ${isBelow}`;
      const row = rows.get(column) ?? (isBelow ? Math.max(1, below) : 0);
      rows.set(column, row + 1);
      return { node, depth, x: depth * (WIDTH + GAP_X), y: row * (HEIGHT + GAP_Y) };
    });
}

type Part = ListedItem & { readonly id: string };

function nodesOfOrder(order: ListedItem): readonly Node[] {
  const currency = order['currency'];
  const partsOf = (field: string) => (Array.isArray(order[field]) ? (order[field] as Part[]) : []);
  const node = (kind: string, part: Part, from: readonly string[]): Node => ({
    kind,
    id: part.id,
    status: String(part.status),
    amount: inWords(moneyOf(part['amount'], part['currency'] ?? currency)),
    from,
  });
  const payment = order['payment'] as Part | null;
  const paid = payment ? [`payment/${payment.id}`] : [`order/${order.id}`];
  return [
    node('order', order, []),
    ...(payment ? [node('payment', payment, [`order/${order.id}`])] : []),
    ...partsOf('transfers').map((part) => node('transfer', part, [`order/${order.id}`])),
    ...partsOf('refunds').map((part) => node('refund', part, paid)),
    ...partsOf('disputes').map((part) => node('dispute', part, paid)),
    ...partsOf('reversals').map((part) =>
      node('reversal', part, [
        `transfer/${asText(part['transfer_id'])}`,
        part['refund_id'] ? `refund/${asText(part['refund_id'])}` : `dispute/${asText(part['dispute_id'])}`,
      ]),
    ),
  ];
}

/** Of what belongs to no order: itself, and what the server says is related. */
function nodesOf(self: Explanation): readonly Node[] {
  const own = `${self.kind}/${self.id}`;
  const isAbove = (kind: string) => (DEPTH[kind] ?? 1) < (DEPTH[self.kind] ?? 1);
  const above = self.related.filter(({ kind }) => isAbove(kind)).map(({ kind, id }) => `${kind}/${id}`);
  return [
    { kind: self.kind, id: self.id, status: self.status, amount: self.amount, from: above },
    ...self.related.map((one) => ({
      kind: one.kind,
      id: one.id,
      status: one.status,
      amount: inWords(moneyOf(one.amount, one.currency)) || one.amount,
      from: isAbove(one.kind) ? [] : [own],
    })),
  ];
}

const inWords = (money: Money | undefined): string => (money ? moneyInWords(money) : '');
