import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/client.js';
import { overviewQuery, queryClient } from '../api/queries.js';
import type { StripeRate } from '../api/types.js';
import { Dialog } from '../parts/Dialog.js';
import { Icon } from '../parts/Icon.js';
import { NoteField } from '../parts/NoteField.js';
import { Said } from '../parts/Said.js';
import { Problem } from '../parts/States.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';

/** By whose word Stripe is called as fast as it is, and how to change that for every process at once. */
export function StripeRateLine({ rate }: { readonly rate: StripeRate }) {
  const { set, of_settings: ofSettings } = rate;
  return (
    <div className="muted">
      {set ? (
        <>
          {set.per_second} a second, set by <Said text={set.by} /> <When at={set.at} />
          {set.note ? (
            <>
              : “<Said text={set.note} />”
            </>
          ) : null}
          {ofSettings === null ? null : <>; at most {ofSettings} (STRIPE_MAX_RPS)</>}
        </>
      ) : ofSettings === null ? (
        'as fast as the settings say'
      ) : (
        <>at most {ofSettings} a second (STRIPE_MAX_RPS)</>
      )}{' '}
      <RateButton rate={rate} />
    </div>
  );
}

function RateButton({ rate: { set, in_force: inForce, most } }: { readonly rate: StripeRate }) {
  const mayAct = useMayAct();
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const [typed, setTyped] = useState('');
  const act = useMutation({
    mutationFn: (change: 'set' | 'reset') =>
      change === 'set'
        ? post('/api/v1/stripe-rate', { per_second: Number(typed), note })
        : post('/api/v1/stripe-rate/reset', { note }),
    onSuccess: async () => {
      setOpen(false);
      setNote('');
      setTyped('');
      await queryClient.invalidateQueries({ queryKey: overviewQuery.queryKey });
    },
  });
  if (!mayAct) return null;
  return (
    <>
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<Icon name="pulse" size={12} />}
        onClick={() => setOpen(true)}
        aria-label="Change rate: how fast Stripe is called"
      >
        Change rate
      </Button>
      <Dialog opened={isOpen} close={() => setOpen(false)} title="How fast Stripe is called">
        <p>
          It holds for every server and worker at once, and until it is reset. Now {inForce ?? 'nothing is set here'}
          {inForce === null ? '' : ' a second'}; at most {most}. To stop all of it, pause Stripe.
        </p>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate('set');
          }}
        >
          <TextInput
            label="Requests a second"
            description="Over all endpoints together"
            type="number"
            min={1}
            max={most}
            required
            value={typed}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
          />
          <NoteField description="Why, for whoever reads it later" value={note} set={setNote} />
          {act.isError ? <Problem error={act.error} /> : null}
          <Button type="submit" loading={act.isPending}>
            Set it
          </Button>
          {set ? (
            <Button
              variant="default"
              disabled={note.trim() === ''}
              loading={act.isPending}
              onClick={() => act.mutate('reset')}
            >
              Back to the settings
            </Button>
          ) : null}
        </form>
      </Dialog>
    </>
  );
}
