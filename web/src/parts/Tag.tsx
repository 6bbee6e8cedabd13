import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon.js';

export type Tone = 'good' | 'info' | 'warn' | 'bad' | 'idle';

/** A colour, a sign and a word: never the colour alone. */
export function Tag({
  tone,
  icon,
  means,
  children,
}: {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly means?: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <span className={`tag tag-${tone}`} title={means}>
      <Icon name={icon} size={12} />
      {children}
    </span>
  );
}
