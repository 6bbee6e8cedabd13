import type { ActionOf, ActionRule, DecidableKind } from '../decisions/decisions.js';

type Effects = { readonly [Kind in DecidableKind]: { readonly [Action in ActionOf<Kind>]: string } };

/** What becomes of the money by each decision, for the person who has to take it. */
const EFFECTS: Effects = {
  settlement: {
    retry: 'sends the same bytes under the same key again, or reads again what could not be read: moves nothing twice',
    settled: 'says that the money came in: nothing is sent any more. Name where you saw it (--tx-hash or --reference)',
    write_off: 'gives the charge up: nothing is sent any more, and the payer keeps what did not move',
  },
  transfer: {
    retry: "looks at Stripe's records, and sends what is not there",
    adopt: 'says that a transfer at Stripe is this one (--evidence stripe_transfer_id): nothing is sent',
    release: 'releases it: the share is sent once no dispute and no refund of its order is open',
    write_off:
      'gives the share up: it stays with the platform and the seller is not paid, and Stripe is asked first that it was not sent',
  },
  reversal: {
    retry: "looks at Stripe's records, and takes back what is not taken yet",
    adopt: 'says that a reversal at Stripe is this one (--evidence stripe_reversal_id): nothing is taken',
    count_as_share: 'says that what somebody else took is this share: nothing more is taken',
    take_missing: 'says that what somebody else took is a part of this share: exactly the rest of it is taken',
    take_all:
      'says that what somebody else took was for something else: the whole share is taken beside it, where that much is left',
    take_available:
      'takes what the seller has there now, or so much of it as is named as evidence (amount); the rest goes on waiting, as a reversal of its own',
    offset:
      'takes nothing at Stripe: the seller owes it, and it is kept of his next transfers in this currency, at most OFFSET_LIMIT of each',
    write_off:
      'gives the share up: the seller keeps it and the platform bears it, and Stripe is asked first that it was not taken',
  },
  payment: {
    retry: 'reads Hyperswitch again now; what still needs a person comes back',
    cancel: 'calls the payment off at Hyperswitch: the sale ends, and the buyer keeps what was only authorised',
    accept_capture:
      'takes what was captured for the whole of the order: each seller is paid the same part of his share, and the rest is not asked for',
    given_back: 'says that the buyer has his money although no refund of ours gave it: sellers give their shares back',
    not_given_back: 'ends what was said to be given back: sellers keep what they have not paid back',
    write_off:
      'gives it up: nothing is followed any more, what is captured stays with the platform, and a late success still wins',
  },
  refund: {
    retry: "settles the sellers' shares once more and reads Hyperswitch again; what still needs a person comes back",
    compensate: 'pays the sellers again what was taken of them, by new transfers out of our Stripe balance',
    write_off: 'gives the question up: what was taken of the sellers stays with the platform',
  },
  dispute: {
    retry: "settles the sellers' shares once more and reads the processor's record again",
    adopt: "follows the processor's own record although Hyperswitch has not named the dispute",
    funds_out: "says that the bank has the funds: the sellers' shares follow (--evidence amount, where it is a part)",
    funds_back: 'says that the bank has returned the funds: what sellers gave is paid to them again',
    write_off: 'says that it is no matter of the sellers: nothing more is taken of them for what is asked now',
  },
};

/** @param action one of the kind's own: the catalogue and this table have the same names */
export function effectOf(kind: DecidableKind, action: string): string {
  const effects: Readonly<Record<string, string>> = EFFECTS[kind];
  const effect = Object.hasOwn(effects, action) ? effects[action] : undefined;
  if (effect === undefined) throw new Error(`${kind} has no action ${action}`);
  return effect;
}

/** How a transaction is named as evidence, as it is typed. */
export const BY_TRANSACTION = '--tx-hash 0x…';

/** The option by which a command names what its effect asks for; empty where it asks for nothing. */
export function evidenceIn(kind: DecidableKind, action: string): string {
  const effect = effectOf(kind, action);
  if (effect.includes('(--tx-hash ')) return ` ${BY_TRANSACTION}`;
  const [, name] = /\(--evidence (\w+)\)/.exec(effect) ?? [];
  return name === undefined ? '' : ` --evidence '{"${name}":"…"}'`;
}

/** How many persons a decision takes, as the catalogue has it. */
const PERSONS: Readonly<Record<ActionRule['persons'], string>> = {
  none: 'one person, whoever it is',
  none_if_confirmed: 'one person where the provider confirms it, else two',
  by_amount_unless_confirmed:
    'one person where the provider confirms it; else one below APPROVAL_THRESHOLD, and two from it on',
  by_amount: 'one person below APPROVAL_THRESHOLD, two from it on',
  two: 'two persons, always',
};

export const personsInWords = ({ persons }: ActionRule): string => PERSONS[persons];
