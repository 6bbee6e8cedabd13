import { Button, Checkbox, NativeSelect, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { ATTENTION_REASONS, type AttentionReason } from '../../../src/domain/decisions/attention.js';
import { actionsFor, DECIDABLE_KINDS, isDecidable } from '../../../src/domain/decisions/decisions.js';
import { effectIn, reasonIn, spoken } from '../../../src/domain/words.js';
import { post } from '../api/client.js';
import { type Filters, overviewQuery, queryClient } from '../api/queries.js';
import type { BulkAnswer, BulkRequest } from '../api/types.js';
import { moneyInWords, moneyOf } from '../format/money.js';
import { capital, plural } from '../format/text.js';
import { ItemLink } from '../parts/ItemLink.js';
import { PageHead } from '../parts/PageHead.js';
import { Panel } from '../parts/Panel.js';
import { Empty, Loading, Problem } from '../parts/States.js';
import { StatusTag } from '../parts/Status.js';
import { Tag } from '../parts/Tag.js';
import { useMayAct } from '../parts/useMayAct.js';

/** One decision about all that wait for one reason: first what it would do to each, then what it did. */
export function Bulk() {
  const { kind = 'reversal', reason = 'retries_exhausted' } = useSearch({ strict: false }) as Filters;
  return <Chosen key={`${kind} ${reason}`} kind={kind} reason={reason} />;
}

/** What may be decided of this reason where the settings are as they are. */
const actionsHere = (kind: string, reason: string, notTaken: readonly string[]) =>
  isDecidable(kind) ? actionsFor(kind, reason as AttentionReason, notTaken) : [];

const useNotTaken = (): readonly string[] => useQuery(overviewQuery).data?.decisions_not_taken ?? [];

function Chosen({ kind, reason }: { readonly kind: string; readonly reason: string }) {
  const actions = actionsHere(kind, reason, useNotTaken());
  const [action, setAction] = useState(actions[0] ?? 'retry');
  const preview = useMutation({
    // a preview changes nothing, so nothing keeps its note
    mutationFn: () => ask({ kind, reason, action, note: 'preview', dry_run: true }),
  });
  return (
    <>
      <PageHead
        title="Decide about many"
        about="Everything that waits for one reason, each decided by itself, as if it were resolved alone."
      />
      <Choice
        kind={kind}
        reason={reason}
        action={action}
        choose={(next) => {
          setAction(next);
          preview.reset();
        }}
        isPending={preview.isPending}
        show={() => preview.mutate()}
      />
      {preview.isPending ? <Loading what="what would be decided" /> : null}
      {preview.isError ? <Problem error={preview.error} retry={() => preview.mutate()} /> : null}
      {preview.data ? (
        <Decide key={preview.submittedAt} kind={kind} reason={reason} action={action} preview={preview.data} />
      ) : null}
    </>
  );
}

function Choice({
  kind,
  reason,
  action,
  choose,
  isPending,
  show,
}: {
  readonly kind: string;
  readonly reason: string;
  readonly action: string;
  readonly choose: (action: string) => void;
  readonly isPending: boolean;
  readonly show: () => void;
}) {
  const navigate = useNavigate();
  const mayAct = useMayAct();
  const go = (search: Filters) => void navigate({ to: '/decide', search });
  const actions = actionsHere(kind, reason, useNotTaken());
  const effect = effectIn(kind, action);
  return (
    <Panel title="What is decided">
      <form
        className="bulk-form"
        onSubmit={(event) => {
          event.preventDefault();
          show();
        }}
      >
        <NativeSelect
          label="Kind"
          value={kind}
          onChange={({ currentTarget }) => go({ kind: currentTarget.value, reason })}
          data={[...DECIDABLE_KINDS]}
        />
        <NativeSelect
          label="Reason"
          value={reason}
          onChange={({ currentTarget }) => go({ kind, reason: currentTarget.value })}
          data={ATTENTION_REASONS.map((one) => ({ value: one, label: spoken(one) }))}
        />
        <NativeSelect
          label="Decision"
          value={action}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
          data={actions.map((one) => ({ value: one, label: spoken(one) }))}
        />
        <Button type="submit" variant="default" loading={isPending} disabled={!mayAct}>
          Preview
        </Button>
      </form>
      <p className="muted">
        {capital(reasonIn(kind, reason) ?? reason)}.{' '}
        {effect ? `“${capital(spoken(action))}” ${effect}, for each of them.` : ''}
      </p>
      {mayAct ? null : <p>Your token may read: an operator has to decide.</p>}
    </Panel>
  );
}

function Decide({
  kind,
  reason,
  action,
  preview,
}: {
  readonly kind: string;
  readonly reason: string;
  readonly action: string;
  readonly preview: BulkAnswer;
}) {
  const [note, setNote] = useState('');
  const [left, setLeft] = useState<readonly string[]>([]);
  const ids = preview.items
    .filter(({ id, outcome }) => outcome === 'would_decide' && !left.includes(id))
    .map(({ id }) => id);
  const decide = useMutation({
    mutationFn: () => ask({ kind, reason, action, note, ids, dry_run: false }),
    onSuccess: () => queryClient.invalidateQueries(),
  });
  const answer = decide.data ?? preview;
  if (preview.items.length === 0)
    return (
      <Panel title="What would be decided">
        <Empty title="Nothing waits for this reason" />
      </Panel>
    );
  return (
    <Panel title={decide.data ? 'What became of each' : 'What would be decided'} aside={<Totals answer={answer} />}>
      <Items answer={answer} kind={kind} left={left} setLeft={decide.data ? undefined : setLeft} />
      {preview.more ? (
        <p className="muted">More wait for this reason than are listed: decide these, then preview again.</p>
      ) : null}
      {decide.isError ? <Problem error={decide.error} /> : null}
      {decide.data ? null : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            decide.mutate();
          }}
        >
          <Textarea
            label="Note"
            description="Why; kept with each decision"
            required
            rows={2}
            maxLength={2_000}
            value={note}
            onChange={({ currentTarget }) => setNote(currentTarget.value)}
          />
          <Button
            type="submit"
            loading={decide.isPending}
            disabled={ids.length === 0}
            color={action === 'write_off' ? 'red' : 'blue'}
          >
            Decide: {spoken(action)} {plural(ids.length, kind)}
          </Button>
        </form>
      )}
    </Panel>
  );
}

const ask = (request: BulkRequest) => post<BulkAnswer>('/api/v1/decisions/bulk', request);

/** The server writes `1999900 USD`. */
function amountInWords(text: string | null): string {
  const [, amount, unit] = /^(-?[0-9]+) ([A-Z]{3})$/.exec(text ?? '') ?? [];
  const money = moneyOf(amount, unit);
  return money ? moneyInWords(money) : (text ?? '—');
}

function Totals({ answer }: { readonly answer: BulkAnswer }) {
  return (
    <span className="amount">
      {answer.amounts.map(({ unit, amount }) => {
        const money = moneyOf(amount, unit);
        return <span key={unit}>{money ? moneyInWords(money) : `${amount} ${unit}`} </span>;
      })}
    </span>
  );
}

function Items({
  answer,
  kind,
  left,
  setLeft,
}: {
  readonly answer: BulkAnswer;
  readonly kind: string;
  readonly left: readonly string[];
  readonly setLeft: ((left: readonly string[]) => void) | undefined;
}) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-wrap" tabIndex={0} role="group" aria-label="The items">
      <table className="table">
        <thead>
          <tr>
            {setLeft ? <th scope="col">Take part</th> : null}
            <th scope="col">{capital(kind)}</th>
            <th scope="col">Outcome</th>
            <th scope="col">Amount</th>
            <th scope="col">Status</th>
            <th scope="col">Detail</th>
          </tr>
        </thead>
        <tbody>
          {answer.items.map((item) => (
            <tr key={item.id}>
              {setLeft ? (
                <td data-head="Take part">
                  <Checkbox
                    size="xs"
                    aria-label={`Decide about ${item.id}`}
                    checked={item.outcome === 'would_decide' && !left.includes(item.id)}
                    disabled={item.outcome !== 'would_decide'}
                    onChange={({ currentTarget }) =>
                      setLeft(currentTarget.checked ? left.filter((id) => id !== item.id) : [...left, item.id])
                    }
                  />
                </td>
              ) : null}
              <th scope="row" data-head={capital(kind)}>
                <ItemLink kind={kind} id={item.id} row />
              </th>
              <td data-head="Outcome">
                <span className="item-tags">
                  <StatusTag kind="outcome" status={item.outcome} />
                  {item.needs_second_person ? (
                    <Tag tone="warn" icon="two">
                      second person
                    </Tag>
                  ) : null}
                </span>
              </td>
              <td data-head="Amount">{amountInWords(item.amount)}</td>
              <td data-head="Status">{item.status ? <StatusTag kind={kind} status={item.status} /> : '—'}</td>
              <td data-head="Detail">{item.detail ?? '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
