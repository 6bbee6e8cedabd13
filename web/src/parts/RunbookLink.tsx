import { Link } from '@tanstack/react-router';
import { Icon } from './Icon.js';

/** To the page of a reason, which the console has with it: `docs/runbooks/foreign-reversal.md`. */
export function RunbookLink({ runbook }: { readonly runbook: string | null }) {
  const name = runbook === null ? undefined : /([a-z0-9-]+)\.md$/.exec(runbook)?.[1];
  if (!name) return <span className="muted">—</span>;
  return (
    <Link to="/runbooks/$name" params={{ name }} className="with-icon">
      <Icon name="book" size={13} />
      {name.replaceAll('-', ' ')}
    </Link>
  );
}
