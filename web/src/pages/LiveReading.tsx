import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { spoken } from '../../../src/domain/words.js';
import { liveQuery } from '../api/queries.js';
import type { Explanation, Live } from '../api/types.js';
import { capital } from '../format/text.js';
import { Icon } from '../parts/Icon.js';
import { Panel } from '../parts/Panel.js';
import { SideBySide } from '../parts/SideBySide.js';
import { Loading, Problem } from '../parts/States.js';
import { Tag } from '../parts/Tag.js';
import { useMayAct } from '../parts/useMayAct.js';
import { When } from '../parts/When.js';

/** The provider as it is now, beside what we have, and what each decision would meet there: for whoever is about to decide. */
export function LiveReading({ told }: { readonly told: Explanation }) {
  const mayAct = useMayAct();
  const isAsked = told.actions.length > 0 || told.waiting_decision !== null;
  return mayAct && isAsked ? <Reading kind={told.kind} id={told.id} /> : null;
}

function Reading({ kind, id }: { readonly kind: string; readonly id: string }) {
  const live = useQuery(liveQuery(kind, id));
  return (
    <Panel
      title="The provider now"
      aside={
        <span className="live-aside">
          {live.data ? (
            <span className="muted">
              read <When at={live.data.read_at} />
            </span>
          ) : null}
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<Icon name="clock" size={12} />}
            loading={live.isFetching}
            onClick={() => void live.refetch()}
          >
            Read now
          </Button>
        </span>
      }
    >
      {live.isPending ? <Loading rows={4} what="what the provider shows" /> : null}
      {live.isError ? <Problem error={live.error} retry={() => void live.refetch()} /> : null}
      {live.data ? <Shown live={live.data} /> : null}
    </Panel>
  );
}

const ANSWERS = {
  shown: { tone: 'good', icon: 'check', word: 'it has it', means: 'The provider was asked, and showed it' },
  absent: {
    tone: 'warn',
    icon: 'hand',
    word: 'it does not have it',
    means: 'The provider was asked, and has no such thing',
  },
  away: { tone: 'bad', icon: 'stop', word: 'it told nothing', means: 'Nothing is known of how it is there now' },
  not_asked: {
    tone: 'warn',
    icon: 'pause',
    word: 'nobody can be asked',
    means: 'There is no call for it, or nothing is set to ask with',
  },
} as const;

const VERDICTS = {
  borne_out: { tone: 'good', icon: 'check', word: 'borne out', means: 'The provider shows what this says' },
  refused: {
    tone: 'bad',
    icon: 'stop',
    word: 'would be refused',
    means: 'The provider shows something else, or told nothing',
  },
  not_in_the_way: {
    tone: 'warn',
    icon: 'hand',
    word: 'nothing against it',
    means: 'The provider is not asked about this, or says nothing against it',
  },
} as const;

function Shown({ live }: { readonly live: Live }) {
  const answer = ANSWERS[live.answer];
  return (
    <div className="stack">
      <p role="status">
        <Tag tone={answer.tone} icon={answer.icon} means={answer.means}>
          {live.provider}: {answer.word}
        </Tag>{' '}
        {capital(live.words)}.
      </p>
      {live.shows === null ? null : <SideBySide ours={live.ours} provider={live.shows} currency={undefined} />}
      {live.decisions.length === 0 ? null : (
        <ul className="live-decisions" aria-label="What each decision would meet at the provider now">
          {live.decisions.map(({ action, verdict, words }) => (
            <li key={action}>
              <strong>{capital(spoken(action))}</strong>{' '}
              <Tag tone={VERDICTS[verdict].tone} icon={VERDICTS[verdict].icon} means={VERDICTS[verdict].means}>
                {VERDICTS[verdict].word}
              </Tag>{' '}
              <span className="muted">{words}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
