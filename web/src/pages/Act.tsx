import { Button, Radio, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { effectIn, spoken } from '../../../src/domain/words.js';
import { post } from '../api/client.js';
import { queryClient, sessionQuery } from '../api/queries.js';
import type { Decided, Explanation, PossibleAction } from '../api/types.js';
import { capital } from '../format/text.js';
import { Copyable } from '../parts/Copy.js';
import { Icon } from '../parts/Icon.js';
import { Panel } from '../parts/Panel.js';
import { Said } from '../parts/Said.js';
import { Empty, Problem } from '../parts/States.js';
import { Tag } from '../parts/Tag.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';

/** What a person can decide about the item now: the effect is told before, and what came of it after. */
export function Act({ told }: { readonly told: Explanation }) {
  const mayAct = useMayAct();
  // What was answered outlives the question: the item does not ask any more once it is decided.
  const [answered, setAnswered] = useState<Answered>();
  const isAsked = told.attention !== null && told.actions.length > 0;
  return (
    <Panel title="What you can do" className="panel-act">
      <div id="act">
        {answered ? <Outcome answered={answered} /> : null}
        {told.waiting_decision ? <Approve told={told} waiting={told.waiting_decision} done={setAnswered} /> : null}
        {!told.waiting_decision && !isAsked && !answered ? (
          <Empty title="Nothing has to be decided">
            {told.actions.length === 0
              ? 'It goes on by itself, or it is finished.'
              : 'It goes on by itself. Whoever does not want to wait for that can decide otherwise.'}
          </Empty>
        ) : null}
        {!told.waiting_decision && told.actions.length > 0 && mayAct ? <Decide told={told} done={setAnswered} /> : null}
        {!told.waiting_decision && isAsked && !mayAct ? (
          <Empty icon="hand" title="Somebody else has to decide">
            Your token may read. An operator can {told.actions.map(({ action }) => spoken(action)).join(', ')}.
          </Empty>
        ) : null}
      </div>
    </Panel>
  );
}

interface Answered {
  readonly action: string;
  readonly decided: Decided;
}

function Outcome({ answered: { action, decided } }: { readonly answered: Answered }) {
  const isWaiting = decided.status === 'pending_approval';
  return (
    <div className={`notice ${isWaiting ? 'notice-warn' : 'notice-good'}`} role="status">
      <Icon name={isWaiting ? 'two' : 'check'} size={18} />
      <div className="notice-body">
        <p className="notice-title">
          {isWaiting ? `Recorded: ${spoken(action)} waits for a second person` : `Decided: ${spoken(action)}`}
        </p>
        <p>
          {isWaiting
            ? 'Nothing has moved. Somebody with an approver’s token has to confirm it.'
            : `It is ${spoken(decided.status)} now.`}
        </p>
        <p className="notice-foot">
          Decision <Copyable text={decided.decision_id} />
        </p>
      </div>
    </div>
  );
}

const readAnew = () => queryClient.invalidateQueries();

function Decide({ told, done }: { readonly told: Explanation; readonly done: (answered: Answered) => void }) {
  const [name, setName] = useState<string>();
  const [note, setNote] = useState('');
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  const chosen = told.actions.find(({ action }) => action === name);
  const decide = useMutation({
    mutationFn: (action: PossibleAction) =>
      post<Decided>(`/api/v1/${told.kind}s/${told.id}/resolve`, requestOf(told, action, { note, fields })),
    onSuccess: async (decided, { action }) => {
      done({ action, decided });
      setName(undefined);
      setNote('');
      await readAnew();
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen) decide.mutate(chosen);
      }}
    >
      <Radio.Group name="action" label="Decision" value={name ?? ''} onChange={setName}>
        <div className="actions">
          {told.actions.map((action) => (
            <ActionChoice key={action.action} action={action} isChosen={action === chosen} />
          ))}
        </div>
      </Radio.Group>
      {chosen ? (
        <>
          {chosen.fields
            .filter(({ name: field }) => field !== 'note')
            .map(({ name: field, required }) => (
              <TextInput
                key={field}
                label={capital(spoken(field))}
                required={required}
                maxLength={500}
                description={required ? undefined : 'Where you saw it; kept with the decision'}
                value={fields[field] ?? ''}
                onChange={({ currentTarget }) => setFields({ ...fields, [field]: currentTarget.value })}
              />
            ))}
          <Textarea
            label="Note"
            description="Why, for whoever reads it later"
            required
            autosize={false}
            rows={3}
            maxLength={2_000}
            value={note}
            onChange={({ currentTarget }) => setNote(currentTarget.value)}
          />
          <div className="preview">
            <p className="preview-title">
              <Icon name="arrow" /> If you decide “{spoken(chosen.action)}”
            </p>
            <p>It {chosen.effect}.</p>
            <p className="muted">Takes {chosen.persons}.</p>
          </div>
        </>
      ) : null}
      {decide.isError ? <Problem error={decide.error} /> : null}
      {chosen ? (
        <Button type="submit" loading={decide.isPending} color={chosen.action === 'write_off' ? 'red' : 'blue'}>
          Decide: {spoken(chosen.action)}
        </Button>
      ) : (
        <p className="muted">Choose a decision to see what it would do. Nothing happens before you confirm it.</p>
      )}
    </form>
  );
}

interface Given {
  readonly note: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** With what the page showed: should the item ask something else by then, nothing is decided. */
function requestOf({ attention }: Explanation, action: PossibleAction, { note, fields }: Given): object {
  const named = action.fields
    .filter(({ name }) => name !== 'note')
    .map(({ name }) => [name, (fields[name] ?? '').trim()] as const);
  const evidence = Object.fromEntries(named.filter(([, value]) => value !== ''));
  const seen = attention ? { reason: attention.reason, detail: attention.detail } : { reason: null };
  return { action: action.action, note, seen, ...(Object.keys(evidence).length > 0 && { evidence }) };
}

function ActionChoice({ action, isChosen }: { readonly action: PossibleAction; readonly isChosen: boolean }) {
  return (
    <div className={isChosen ? 'action action-chosen' : 'action'}>
      <Radio
        value={action.action}
        label={
          <span className="action-name">
            {spoken(action.action)}
            {action.needs_second_person ? (
              <Tag tone="warn" icon="two">
                second person
              </Tag>
            ) : null}
          </span>
        }
        description={capital(action.effect)}
      />
    </div>
  );
}

function Approve({
  told,
  waiting,
  done,
}: {
  readonly told: Explanation;
  readonly waiting: NonNullable<Explanation['waiting_decision']>;
  readonly done: (answered: Answered) => void;
}) {
  return (
    <div className="stack">
      <div className="notice notice-warn">
        <Icon name="two" size={18} />
        <div className="notice-body">
          <p className="notice-title">{capital(spoken(waiting.action))} waits for a second person</p>
          <p>
            Asked for by{' '}
            <strong>
              <Said text={waiting.by} />
            </strong>{' '}
            <When at={waiting.requested_at} />: “<Said text={waiting.note} />”
          </p>
        </div>
      </div>
      <ApproveForm
        decision={waiting}
        effect={effectIn(told.kind, waiting.action)}
        done={(decided) => done({ action: waiting.action, decided })}
      />
    </div>
  );
}

/** Confirms what another person has asked for. */
export function ApproveForm({
  decision,
  effect,
  done,
}: {
  readonly decision: { readonly id: string; readonly action: string; readonly by: string };
  readonly effect?: string | undefined;
  readonly done: (decided: Decided) => void;
}) {
  const { data: session } = useQuery(sessionQuery);
  const [note, setNote] = useState('');
  const approve = useMutation({
    mutationFn: () => post<Decided>(`/api/v1/decisions/${decision.id}/approve`, { note }),
    onSuccess: async (decided) => {
      done(decided);
      await readAnew();
    },
  });
  if (session?.role !== 'approver')
    return (
      <p className="muted">
        You are signed in with the role {session?.role}: an approver’s token is needed to confirm it.
      </p>
    );
  if (session.name === decision.by)
    return <p className="muted">You asked for it yourself, as {session.name}: another person has to confirm it.</p>;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        approve.mutate();
      }}
    >
      {effect ? <p>It {effect}.</p> : null}
      <Textarea
        label="Note"
        description="What you have checked"
        required
        rows={2}
        maxLength={2_000}
        value={note}
        onChange={({ currentTarget }) => setNote(currentTarget.value)}
      />
      {approve.isError ? <Problem error={approve.error} /> : null}
      <Button type="submit" loading={approve.isPending}>
        Confirm: {spoken(decision.action)}
      </Button>
    </form>
  );
}
