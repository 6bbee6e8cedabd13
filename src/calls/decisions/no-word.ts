import type { ReadAnswer } from '../../domain/calls/provider-answers.js';

/** A look that showed nothing; `unanswered`: nobody was there to look, or a look that says only that. */
export type NoWord =
  | Exclude<ReadAnswer<unknown>, { readonly kind: 'found' }>
  | { readonly kind: 'unanswered'; readonly detail: string };

/**
 * Whom it is about, and why nothing is known of now. A provider that refuses our key has answered: waiting does not help, and who reads
 * it has a key to mend.
 */
export function whyNoWord(who: string, answer: NoWord): string {
  if (answer.kind !== 'misdirected') return `${who} did not answer: ${answer.detail}`;
  const refused = answer.scope === 'seller' ? 'access to this seller' : 'the key';
  return `${who} has answered, and refuses ${refused}: ${answer.detail}`;
}
