import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '../api/client.js';
import { queryClient } from '../api/queries.js';
import { Dialog } from '../parts/Dialog.js';
import { NoteField } from '../parts/NoteField.js';
import { Problem } from '../parts/States.js';
import { useMayAct } from '../parts/useMayAct.js';

/** Acts on a stored event once more. */
export function ReplayButton({ event }: { readonly event: string }) {
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const mayAct = useMayAct();
  const replay = useMutation({
    mutationFn: () => post(`/api/v1/webhooks/${encodeURIComponent(event)}/replay`, { note }),
    onSuccess: async () => {
      setOpen(false);
      await queryClient.invalidateQueries({ queryKey: ['list', 'webhooks'] });
    },
  });
  if (!mayAct) return <span className="muted">not by your role</span>;
  return (
    <>
      <Button variant="default" size="compact-xs" onClick={() => setOpen(true)} aria-label={`Replay ${event}`}>
        Replay
      </Button>
      <Dialog opened={isOpen} close={() => setOpen(false)} title="Replay this event">
        <p>
          The provider is read again for <code>{event}</code>, and what follows from that is done. What was done before
          is not done twice.
        </p>
        <form
          className="stack"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            replay.mutate();
          }}
        >
          <NoteField description="Why; kept with the event" value={note} set={setNote} />
          {replay.isError ? <Problem error={replay.error} /> : null}
          <Button type="submit" loading={replay.isPending}>
            Replay
          </Button>
        </form>
      </Dialog>
    </>
  );
}
