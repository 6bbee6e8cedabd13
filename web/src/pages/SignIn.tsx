import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post, rememberCsrf } from '../api/client.js';
import { queryClient, sessionQuery } from '../api/queries.js';
import type { Session } from '../api/types.js';
import { PageHead } from '../parts/PageHead.js';
import { Problem } from '../parts/States.js';

/** A token of API_TOKENS for a session; the token itself is kept nowhere. */
export function SignIn({ ended }: { readonly ended: boolean }) {
  const [token, setToken] = useState('');
  const signIn = useMutation({
    mutationFn: () => post<Session>('/console/session', { token: token.trim() }),
    onSuccess(session) {
      setToken('');
      rememberCsrf(session.csrf);
      queryClient.setQueryData(sessionQuery.queryKey, session);
    },
  });
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="brand">
          <Mark /> Makegood
        </p>
        <PageHead
          title="Sign in"
          about="Money that was promised moves exactly once. This console shows where any of it is, and what to do."
        />
        {ended && !signIn.isError ? (
          <p role="status">Your session is over: sign in again, and you are back where you were.</p>
        ) : null}
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate();
          }}
        >
          <PasswordInput
            label="Your token"
            description="One of API_TOKENS. What you may do follows from its role."
            value={token}
            required
            data-autofocus
            autoComplete="current-password"
            maxLength={1_000}
            onChange={({ currentTarget }) => setToken(currentTarget.value)}
          />
          {signIn.isError ? <Problem error={signIn.error} /> : null}
          <Button type="submit" loading={signIn.isPending}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}

export function Mark() {
  return (
    <svg className="mark" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <path
        d="M8 22V10l8 8 8-8v12"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
