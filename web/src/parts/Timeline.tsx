import { spoken } from '../../../src/domain/words.js';
import type { StoryEvent } from '../api/types.js';
import { asText, capital, labelOf, shortId } from '../format/text.js';
import { CertaintyTag } from './Certainty.js';
import { Copyable } from './Copy.js';
import { Icon, type IconName } from './Icon.js';
import { ItemLink } from './ItemLink.js';
import { Empty } from './States.js';
import { Tag } from './Tag.js';
import { When } from './When.js';

/** Everything that happened, oldest first: attempts with key, request id and status, what providers told, what persons decided. */
export function Timeline({ events, self }: { readonly events: readonly StoryEvent[]; readonly self: string }) {
  if (events.length === 0) return <Empty icon="clock" title="Nothing has happened to it yet" />;
  return (
    <ol className="timeline">
      {events.map((event, place) => (
        <li key={`${event.item} ${event.at} ${place}`}>
          <span className="timeline-sign">
            <Icon name={signOf(event)} size={12} />
          </span>
          <div className="timeline-body">
            <p className="timeline-head">
              <strong>{capital(spoken(event.kind))}</strong>
              {event.item === self ? null : <OtherItem item={event.item} />}
              {event.certainty ? <CertaintyTag certainty={event.certainty} /> : null}
              {event.status === null ? null : (
                <Tag
                  tone={event.status < 300 ? 'good' : event.status < 500 ? 'warn' : 'bad'}
                  icon="arrow"
                  means="The status of the HTTP answer"
                >
                  HTTP {event.status}
                </Tag>
              )}
              {event.replayed ? (
                <Tag
                  tone="info"
                  icon="back"
                  means="The provider had answered this key before and said the same again: nothing moved twice"
                >
                  replayed
                </Tag>
              ) : null}
              <When at={event.at} />
            </p>
            <Details event={event} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function OtherItem({ item }: { readonly item: string }) {
  const [kind = '', id = ''] = item.split('/');
  return (
    <ItemLink kind={kind} id={id}>
      {kind} {shortId(id)}
    </ItemLink>
  );
}

function Details({ event }: { readonly event: StoryEvent }) {
  const told = Object.entries(event.detail).filter(
    ([name]) => name !== 'request_id' && name !== 'status' && name !== 'replayed',
  );
  const hasMore = event.answer !== null || event.key !== null || event.request_id !== null || told.length > 0;
  if (!hasMore) return null;
  return (
    <dl className="timeline-facts">
      {event.answer === null ? null : (
        <div>
          <dt>Answer</dt>
          <dd>{spoken(event.answer)}</dd>
        </div>
      )}
      {event.key === null ? null : (
        <div>
          <dt>Key</dt>
          <dd>
            <Copyable text={event.key} />
          </dd>
        </div>
      )}
      {event.request_id === null ? null : (
        <div>
          <dt>Request</dt>
          <dd>
            <Copyable text={event.request_id} />
          </dd>
        </div>
      )}
      {told.map(([name, value]) => (
        <div key={name}>
          <dt>{labelOf(name)}</dt>
          <dd>{asText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function signOf({ kind, certainty }: StoryEvent): IconName {
  if (/decid|resolv|approv|attention|note|acknowledg/.test(kind)) return 'two';
  if (/fail|refus|conflict|lost/.test(kind)) return 'stop';
  if (/webhook|event|told|read|look/.test(kind)) return 'search';
  if (/attempt|sent|send|claim/.test(kind)) return 'arrow';
  if (certainty === 'done' || /complete|settled|succeed|reversed|paid/.test(kind)) return 'check';
  return 'dots';
}
