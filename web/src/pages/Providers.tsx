import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/client.js';
import { overviewQuery, queryClient } from '../api/queries.js';
import type { Provider } from '../api/types.js';
import { Dialog } from '../parts/Dialog.js';
import { Icon } from '../parts/Icon.js';
import { NoteField } from '../parts/NoteField.js';
import { Panel } from '../parts/Panel.js';
import { Said } from '../parts/Said.js';
import { Empty, Problem } from '../parts/States.js';
import { Tag } from '../parts/Tag.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';
import { StripeRateLine } from './StripeRate.js';

/** Who lets us in, who does not, who is paused by a person, and how near Stripe's limit we are. */
export function Providers({ providers }: { readonly providers: readonly Provider[] }) {
  return (
    <Panel title="Providers">
      {providers.length === 0 ? (
        <Empty icon="pulse" title="No provider was called yet" />
      ) : (
        <ul className="providers">
          {providers.map((provider) => (
            <li key={provider.provider}>
              <ProviderRow provider={provider} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function ProviderRow({ provider: one }: { readonly provider: Provider }) {
  return (
    <div className="provider">
      <div className="provider-head">
        <strong>{one.provider}</strong>
        <StateTag provider={one} />
        <PauseButton provider={one} />
      </div>
      <p className="muted">
        {one.paused_by ? (
          <>
            by <Said text={one.paused_by} /> <When at={one.since} />
            {one.paused_note ? (
              <>
                : “<Said text={one.paused_note} />”
              </>
            ) : null}
          </>
        ) : one.state === 'closed' ? (
          <>
            {one.last_success_at ? (
              <>
                last answer <When at={one.last_success_at} />
              </>
            ) : (
              'no answer is recorded'
            )}
          </>
        ) : (
          <>
            since <When at={one.since} />: <Said text={one.detail ?? one.reason ?? 'it does not let us in'} />
            {one.next_probe_at ? (
              <>
                ; asked again <When at={one.next_probe_at} />
              </>
            ) : null}
          </>
        )}
      </p>
      {one.limit_per_second !== null ? (
        <Pace pace={one.pace_per_second ?? 0} limit={one.limit_per_second} of={one.provider} />
      ) : null}
      {one.rate ? <StripeRateLine rate={one.rate} /> : null}
    </div>
  );
}

function StateTag({ provider: { paused_by: by, state } }: { readonly provider: Provider }) {
  if (by)
    return (
      <Tag tone="warn" icon="pause" means="Parked by a person: nothing that moves money leaves to it">
        paused
      </Tag>
    );
  if (state === 'closed')
    return (
      <Tag tone="good" icon="check" means="Its circuit breaker is closed: calls go out">
        lets us in
      </Tag>
    );
  return (
    <Tag
      tone={state === 'open' ? 'bad' : 'warn'}
      icon={state === 'open' ? 'stop' : 'clock'}
      means="Its circuit breaker: nothing is sent, and no retries are used up"
    >
      {state === 'open' ? 'parked' : 'being tried'}
    </Tag>
  );
}

function Pace({ pace, limit, of }: { readonly pace: number; readonly limit: number; readonly of: string }) {
  return (
    <div className="pace">
      <meter
        min={0}
        max={limit}
        high={limit * 0.9}
        value={Math.min(pace, limit)}
        aria-label={`Requests a second to ${of}`}
      />
      <span className="muted">
        {pace} of {limit} requests a second
      </span>
    </div>
  );
}

function PauseButton({ provider: { provider, pausable, paused_by: by } }: { readonly provider: Provider }) {
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const mayAct = useMayAct();
  const verb = by ? 'resume' : 'pause';
  const act = useMutation({
    mutationFn: () => post(`/api/v1/providers/${pausable}/${verb}`, { note }),
    onSuccess: async () => {
      setOpen(false);
      setNote('');
      await queryClient.invalidateQueries({ queryKey: overviewQuery.queryKey });
    },
  });
  if (!pausable || !mayAct) return null;
  return (
    <>
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<Icon name={by ? 'play' : 'pause'} size={12} />}
        onClick={() => setOpen(true)}
        aria-label={`${by ? 'Resume' : 'Pause'} ${provider}`}
      >
        {by ? 'Resume' : 'Pause'}
      </Button>
      <Dialog opened={isOpen} close={() => setOpen(false)} title={`${by ? 'Resume' : 'Pause'} ${pausable}`}>
        <p>
          {by
            ? 'What waits for it goes on at once.'
            : 'Nothing that moves money leaves to it until somebody resumes it. No retry is used up, and reads go on.'}
        </p>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate();
          }}
        >
          <NoteField description="Why, for whoever reads it later" value={note} set={setNote} />
          {act.isError ? <Problem error={act.error} /> : null}
          <Button type="submit" loading={act.isPending}>
            {by ? 'Resume' : 'Pause'} {pausable}
          </Button>
        </form>
      </Dialog>
    </>
  );
}
