import { useState } from 'react';
import { Icon } from './Icon.js';

/** A name to be had whole: shown short, copied whole. */
export function Copyable({ text, shown = text }: { readonly text: string; readonly shown?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => setCopied(true));
  };
  return (
    <span className="copyable">
      <code title={text}>{shown}</code>
      <button type="button" className="bare" onClick={copy} onBlur={() => setCopied(false)} aria-label={`Copy ${text}`}>
        <Icon name={copied ? 'check' : 'copy'} size={12} />
      </button>
    </span>
  );
}
