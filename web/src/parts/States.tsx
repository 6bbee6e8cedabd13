import { Button, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiProblem } from '../api/client.js';
import { capital } from '../format/text.js';
import { Icon, type IconName } from './Icon.js';

/** What to do about it, for whoever has never seen it. */
const CURES: Readonly<Record<string, string>> = {
  no_answer: 'See whether the server runs and this machine reaches it. This page tries again by itself.',
  ledger_unavailable: 'Postgres does not answer. Nothing was changed. `makegood doctor` says what is wrong with it.',
  provider_unavailable: 'The provider was asked first and did not answer. Nothing was changed: decide again later.',
  unauthorized: 'Your session is over. Sign in again.',
  forbidden: 'Your token has another role. Ask somebody whose token may do that.',
  self_approval: 'A second person has to confirm it, with a token of their own.',
  csrf_token_missing: 'This page is older than your session. Load it again.',
  not_found: 'It may have been archived, or the link is mistyped. Search for it.',
  not_waiting: 'Somebody was faster, or it went on by itself. The page below shows how it stands now.',
  changed_since: 'Nothing was changed. Load the page again: it shows what is asked now.',
  wrong_action: 'Choose one of the decisions that are offered: what fits has changed.',
  decision_refused: 'The ledger or the provider speaks against it; the detail says what.',
  rate_limited: 'Wait a minute and try again.',
  invalid_request: 'Correct what is named and try again.',
};

export function Problem({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  const cure = problem && CURES[problem.code];
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="hand" size={18} />
      <div className="notice-body">
        <p className="notice-title">{problem?.title ?? 'Something is wrong with this page'}</p>
        <p>{capital(problem?.message ?? (error instanceof Error ? error.message : 'nothing more is known'))}.</p>
        {problem && problem.fields.length > 0 ? (
          <ul>
            {problem.fields.map(({ pointer, message }) => (
              <li key={pointer}>
                <code>{pointer}</code> {message}
              </li>
            ))}
          </ul>
        ) : null}
        <p className="notice-cure">
          {cure ?? 'Load the page again. If it stays, give the request id to whoever runs the server.'}
        </p>
        <p className="notice-foot">
          {problem?.requestId ? (
            <span>
              Request id <code>{problem.requestId}</code>
            </span>
          ) : null}
          {retry ? (
            <Button size="compact-sm" variant="default" onClick={retry}>
              Try again
            </Button>
          ) : null}
        </p>
      </div>
    </div>
  );
}

export function Empty({
  icon = 'check',
  title,
  children,
}: {
  readonly icon?: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="empty">
      <Icon name={icon} size={22} />
      <p className="empty-title">{title}</p>
      {children ? <p>{children}</p> : null}
    </div>
  );
}

export function Loading({ rows = 6, what }: { readonly rows?: number; readonly what: string }) {
  return (
    <div className="loading" role="status" aria-label={`Reading ${what}`}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={18} radius="sm" />
      ))}
    </div>
  );
}

/** What is shown is what was read last, because reading it anew has failed. */
export function Stale({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  return (
    <div className="notice notice-warn" role="status">
      <Icon name="clock" size={16} />
      <div className="notice-body">
        <p>
          <strong>What you see may be old.</strong> Reading it anew has failed:{' '}
          {error instanceof ApiProblem ? error.title : 'nothing more is known'}.{' '}
          <button type="button" className="link" onClick={retry}>
            Try again
          </button>
        </p>
      </div>
    </div>
  );
}
