import type { DisputeStatus } from '../http/dispute-objects.js';
import type { StripeStatus } from './stripe-status.js';

/** What Stripe says of disputes, and what Hyperswitch's connector for Stripe makes of it. */

export const STRIPE_EVENTS = [
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
] as const;
export type StripeEvent = (typeof STRIPE_EVENTS)[number];
const WITHDRAWN = 'charge.dispute.funds_withdrawn' satisfies StripeEvent;
const REINSTATED = 'charge.dispute.funds_reinstated' satisfies StripeEvent;

export const STRIPE_MOVES = [
  'escalate',
  'respond',
  'win',
  'lose',
  'close_inquiry',
  'prevent',
  'withdraw',
  'reinstate',
] as const;
export type StripeMove = (typeof STRIPE_MOVES)[number];

export const openedAs = (inquiry: boolean): StripeStatus => (inquiry ? 'warning_needs_response' : 'needs_response');

/** An inquiry takes nothing; a chargeback withdraws at once. */
export const eventsOfOpening = (inquiry: boolean): readonly StripeEvent[] =>
  inquiry ? ['charge.dispute.created'] : ['charge.dispute.created', 'charge.dispute.funds_withdrawn'];

interface Effect {
  /** Absent: it stays. */
  readonly to?: (before: StripeStatus) => StripeStatus;
  readonly events: (before: StripeStatus) => readonly StripeEvent[];
}
const always =
  (...events: readonly StripeEvent[]) =>
  () =>
    events;
const EFFECT: Readonly<Record<StripeMove, Effect>> = {
  escalate: { to: () => 'needs_response', events: always('charge.dispute.updated', 'charge.dispute.funds_withdrawn') },
  respond: {
    to: (before) => (before.startsWith('warning_') ? 'warning_under_review' : 'under_review'),
    events: always('charge.dispute.updated'),
  },
  win: { to: () => 'won', events: always('charge.dispute.closed', 'charge.dispute.funds_reinstated') },
  lose: {
    to: () => 'lost',
    // A bank that decides again takes again what it gave back.
    events: (before) => ['charge.dispute.closed', ...(before === 'won' ? ([WITHDRAWN] as const) : [])],
  },
  close_inquiry: { to: () => 'warning_closed', events: always('charge.dispute.closed') },
  prevent: { to: () => 'prevented', events: always('charge.dispute.closed') },
  withdraw: { events: always('charge.dispute.funds_withdrawn') },
  reinstate: { events: always('charge.dispute.funds_reinstated') },
};

export function moved(
  before: StripeStatus,
  move: StripeMove,
): { status: StripeStatus; events: readonly StripeEvent[] } {
  const { to, events } = EFFECT[move];
  return { status: to?.(before) ?? before, events: events(before) };
}

/** Of what a move usually tells, what it told where these amounts were booked. */
export const toldWith = (events: readonly StripeEvent[], booked: readonly number[]): readonly StripeEvent[] =>
  events.filter((event) => {
    if (event === WITHDRAWN) return booked.some((amount) => amount < 0);
    return event !== REINSTATED || booked.some((amount) => amount > 0);
  });

const OF_UPDATE: Readonly<Record<StripeStatus, DisputeStatus | null>> = {
  warning_needs_response: 'dispute_opened',
  warning_under_review: 'dispute_challenged',
  warning_closed: 'dispute_cancelled',
  won: 'dispute_won',
  lost: 'dispute_lost',
  needs_response: null,
  under_review: null,
  prevented: null,
};

/** Null: the event is not supported, and nothing follows from it. Only an update goes by the dispute's own status. */
export function heardAs(event: StripeEvent, status: StripeStatus): DisputeStatus | null {
  switch (event) {
    case 'charge.dispute.created':
      return 'dispute_opened';
    case 'charge.dispute.closed':
      return 'dispute_cancelled';
    case 'charge.dispute.funds_withdrawn':
      return 'dispute_lost';
    case 'charge.dispute.funds_reinstated':
      return 'dispute_won';
    case 'charge.dispute.updated':
      return OF_UPDATE[status];
  }
}

const AFTER_CHALLENGE: ReadonlySet<DisputeStatus> = new Set(['dispute_challenged', 'dispute_won', 'dispute_lost']);

/**
 * Whether Hyperswitch lets one status follow another; what it does not let it answers with 400, and keeps what it had. So
 * the first of `lost`, `won` and `cancelled` stays, whatever becomes of the money later.
 */
export function mayFollow(before: DisputeStatus, after: DisputeStatus): boolean {
  if (before === 'dispute_opened') return true;
  return before === 'dispute_challenged' ? AFTER_CHALLENGE.has(after) : before === after;
}

/** `needs_response` becomes `NeedsResponse`: the connector prints the names of its own code, which does not know `prevented`. */
export const wordOfConnector = (status: StripeStatus): string =>
  status === 'prevented'
    ? 'Unknown'
    : status.replace(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
