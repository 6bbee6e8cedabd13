import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { spoken } from '../../../src/domain/words.js';
import { post } from '../api/client.js';
import { queryClient } from '../api/queries.js';
import type { ListedItem } from '../api/types.js';
import { moneyInWords, moneyOf } from '../format/money.js';
import { Panel } from '../parts/Panel.js';
import { Empty, Problem } from '../parts/States.js';
import { Tag } from '../parts/Tag.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';

interface Part {
  readonly id: string;
  readonly amount: number;
  readonly final: boolean;
  readonly status: 'open' | 'done' | 'refused';
  readonly detail: string | null;
  readonly created_at: string;
}

/** Of a payment that is captured by hand: its parts, and to capture or call off what is held. */
export function Captures({ payment }: { readonly payment: ListedItem }) {
  if (payment['capture'] === undefined || payment['capture'] === 'automatic') return null;
  const parts = payment['captures'] as readonly Part[];
  const heldSince = payment['held_since'] as string | null;
  return (
    <Panel title="What is captured of it">
      {parts.length === 0 ? <Empty title="Nothing yet">Nobody has asked for a part of it.</Empty> : null}
      <ul className="shares">
        {parts.map((part) => (
          <li key={part.id}>
            {inUnits(part.amount, payment['currency'])} <StatusOf part={part} /> {part.final ? 'the last part, ' : ''}
            asked <When at={part.created_at} />
            {part.status === 'done' || part.detail === null ? null : <p className="muted">{part.detail}</p>}
          </li>
        ))}
      </ul>
      {heldSince === null ? null : (
        <p>
          The buyer’s money has been held since <When at={heldSince} />.
        </p>
      )}
      {payment['cancel_asked_at'] ? <p>It is being called off.</p> : null}
      {heldSince !== null && !payment['cancel_asked_at'] && !parts.some(({ status }) => status === 'open') ? (
        <CaptureOrCancel payment={payment} />
      ) : null}
    </Panel>
  );
}

function StatusOf({ part: { status } }: { readonly part: Part }) {
  const [tone, icon] = SHOWN[status];
  return (
    <Tag tone={tone} icon={icon}>
      {spoken(status)}
    </Tag>
  );
}

const SHOWN = { done: ['good', 'check'], open: ['info', 'clock'], refused: ['bad', 'none'] } as const;

function CaptureOrCancel({ payment }: { readonly payment: ListedItem }) {
  const mayAct = useMayAct();
  const [amount, setAmount] = useState('');
  // One press, however often it is repeated: a lost answer is asked for under the same key.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const path = `/api/v1/payments/${payment.id}`;
  const act = useMutation({
    mutationFn: (what: 'capture' | 'cancel') =>
      what === 'cancel'
        ? post(`${path}/cancel`, {})
        : post(`${path}/capture`, amount === '' ? {} : { amount: Number(amount) }, key),
    onSuccess: () => {
      setAmount('');
      setKey(crypto.randomUUID());
    },
    onSettled: () => queryClient.invalidateQueries(),
  });
  if (!mayAct) return null;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate('capture');
      }}
    >
      <TextInput
        label="Amount"
        description="Minor units; empty: all that is left. A payment that is captured once is of this amount from then on"
        inputMode="numeric"
        pattern="[1-9][0-9]*"
        value={amount}
        onChange={({ currentTarget }) => {
          setAmount(currentTarget.value);
          setKey(crypto.randomUUID());
        }}
      />
      {act.isError ? <Problem error={act.error} /> : null}
      <Button type="submit" loading={act.isPending}>
        Capture
      </Button>
      <Button variant="default" loading={act.isPending} onClick={() => act.mutate('cancel')}>
        Let it go
      </Button>
    </form>
  );
}

function inUnits(amount: number, currency: unknown): string {
  const money = moneyOf(amount, currency);
  return money ? moneyInWords(money) : String(amount);
}
