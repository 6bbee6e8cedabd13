import { reasonIn, spoken, statusIn } from '../../../src/domain/words.js';
import type { IconName } from './Icon.js';
import { Tag, type Tone } from './Tag.js';

const LOOKS: Readonly<Record<string, readonly [Tone, IconName]>> = {
  open: ['info', 'arrow'],
  pending: ['info', 'clock'],
  processing: ['info', 'arrow'],
  review: ['info', 'clock'],
  inquiry: ['info', 'clock'],
  closing: ['info', 'clock'],
  held: ['warn', 'pause'],
  waiting: ['info', 'clock'],
  waiting_balance: ['warn', 'clock'],
  waiting_platform_balance: ['warn', 'clock'],
  waiting_seller: ['warn', 'clock'],
  pending_approval: ['warn', 'two'],
  reversal_pending: ['info', 'back'],
  partially_reversed: ['good', 'back'],
  partially_refunded: ['good', 'back'],
  refunded: ['good', 'back'],
  reversed: ['good', 'back'],
  settled: ['good', 'check'],
  paid: ['good', 'check'],
  succeeded: ['good', 'check'],
  completed: ['good', 'check'],
  applied: ['good', 'check'],
  processed: ['good', 'check'],
  decided: ['good', 'check'],
  won: ['good', 'check'],
  lost: ['idle', 'stop'],
  released: ['idle', 'none'],
  cancelled: ['idle', 'none'],
  closed: ['idle', 'none'],
  ignored: ['idle', 'none'],
  skipped: ['idle', 'none'],
  written_off: ['idle', 'stop'],
  failed: ['bad', 'stop'],
  refused: ['bad', 'stop'],
  unanswered: ['warn', 'question'],
  would_decide: ['info', 'arrow'],
  payment_failed: ['bad', 'stop'],
  permanently_failed: ['bad', 'hand'],
  needs_attention: ['bad', 'hand'],
};

/** How an item stands, by the word that the API and the command line use. */
export function StatusTag({ kind, status }: { readonly kind: string; readonly status: string }) {
  const [tone, icon] = Object.hasOwn(LOOKS, status) ? (LOOKS[status] ?? PLAIN) : PLAIN;
  return (
    <Tag tone={tone} icon={icon} means={statusIn(kind, status)}>
      {spoken(status)}
    </Tag>
  );
}

const PLAIN = ['idle', 'dots'] as const;

/** Why an item waits for a person. */
export function ReasonTag({ kind, reason }: { readonly kind: string; readonly reason: string }) {
  return (
    <Tag tone="bad" icon={reason === 'approval_pending' ? 'two' : 'hand'} means={reasonIn(kind, reason)}>
      {spoken(reason)}
    </Tag>
  );
}
