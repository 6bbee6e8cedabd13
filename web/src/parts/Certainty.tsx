import type { Certainty } from '../../../src/domain/calls/certainty.js';
import { certaintyIn, spoken } from '../../../src/domain/words.js';
import type { IconName } from './Icon.js';
import { Tag, type Tone } from './Tag.js';

const LOOKS: Readonly<Record<Certainty, readonly [Tone, IconName]>> = {
  not_sent: ['idle', 'dots'],
  in_flight: ['info', 'arrow'],
  done: ['good', 'check'],
  absent: ['idle', 'none'],
  unknown: ['warn', 'question'],
};

/** What we know of the money call of an item. */
export function CertaintyTag({ certainty }: { readonly certainty: string }) {
  const [tone, icon] = Object.hasOwn(LOOKS, certainty)
    ? LOOKS[certainty as Certainty]
    : (['warn', 'question'] as const);
  return (
    <Tag tone={tone} icon={icon} means={certaintyIn(certainty)}>
      {spoken(certainty)}
    </Tag>
  );
}
