import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Markdown } from '../parts/Markdown.js';
import { PageHead } from '../parts/PageHead.js';
import { Empty, Loading, Problem } from '../parts/States.js';

/** The pages of docs/runbooks come with the console: at night nobody should have to look for them. */
const PAGES = import.meta.glob<string>('../../../docs/runbooks/*.md', { query: '?raw', import: 'default' });
const pageOf = (name: string) => PAGES[`../../../docs/runbooks/${name}.md`];
const NAMES = Object.keys(PAGES).map((path) => path.replace(/^.*\/|\.md$/g, ''));

export function Runbook() {
  const { name } = useParams({ strict: false }) as { name: string };
  const read = pageOf(name);
  const page = useQuery({
    queryKey: ['runbook', name],
    enabled: read !== undefined,
    staleTime: Infinity,
    queryFn: () => read?.() ?? '',
  });
  const [title, body] = parted(page.data ?? '');
  return (
    <>
      <PageHead title={title || 'Runbook'} about={<Link to="/runbooks">All runbooks</Link>} />
      {read ? null : <Empty icon="book" title={`There is no runbook called ${name}`} />}
      {read && page.isPending ? <Loading what="the runbook" /> : null}
      {page.isError ? <Problem error={page.error} retry={() => void page.refetch()} /> : null}
      {page.data ? <Markdown text={body} /> : null}
    </>
  );
}

function parted(text: string): readonly [title: string, body: string] {
  const [first = '', ...rest] = text.split('\n');
  return first.startsWith('# ') ? [first.slice(2), rest.join('\n')] : ['', text];
}

export function Runbooks() {
  return (
    <>
      <PageHead title="Runbooks" about="What to do, for each reason for which a person is asked." />
      <ul className="found">
        {NAMES.map((name) => (
          <li key={name}>
            <Link to="/runbooks/$name" params={{ name }} className="item-link" data-row="">
              {name.replaceAll('-', ' ')}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
