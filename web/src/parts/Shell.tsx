import { Button, Switch, useMantineColorScheme } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouter, useRouterState, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { rememberCsrf, remove } from '../api/client.js';
import { type Liveness, useLiveChanges } from '../api/live.js';
import { listQuery, overviewQuery, queryClient, sessionQuery } from '../api/queries.js';
import { KEYS, moveRow, switchKeys, useKeys, useKeysAreOn } from '../keys/keys.js';
import { LISTS } from '../lists/lists.js';
import { Mark } from '../pages/SignIn.js';
import { Dialog } from './Dialog.js';
import { Icon, type IconName } from './Icon.js';

/** What stands around every page: search, where one can go, whether it is live, who is signed in. */
export function Shell() {
  // an open menu belongs to the page that it was opened on
  const [menuAt, setMenuAt] = useState<string>();
  const [help, setHelp] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const liveness = useLiveChanges();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const list = (to: string) => () => void navigate({ to: '/$list', params: { list: to }, search: {} });
  useKeys({
    '/': () => searchField.current?.focus(),
    '?': () => setHelp(true),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    'g o': () => void navigate({ to: '/' }),
    'g a': () => void navigate({ to: '/approvals' }),
    'g s': list('settlements'),
    'g t': list('transfers'),
    'g r': list('reversals'),
    'g w': list('webhooks'),
  });
  const menu = menuAt === path;
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onResolved', ({ pathChanged }) => {
        if (!pathChanged) return;
        // whoever goes on by keys or by ear begins with the page and not with the menu
        main.current?.focus({ preventScroll: true });
        window.scrollTo(0, 0);
      }),
    [router],
  );
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <button
          type="button"
          className="bare top-menu"
          aria-label="Menu"
          aria-expanded={menu}
          onClick={() => setMenuAt(path)}
        >
          <Icon name="menu" size={18} />
        </button>
        <Link to="/" className="brand">
          <Mark /> <span>Makegood</span>
        </Link>
        <SearchField field={searchField} />
        <LiveTag liveness={liveness} />
        <button
          type="button"
          className="bare top-keys"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => setHelp(true)}
        >
          <Icon name="keys" size={18} />
        </button>
        <Scheme />
        <Person />
      </header>
      <aside className="side">
        <Nav />
      </aside>
      <Dialog side opened={menu} close={() => setMenuAt(undefined)} title="Makegood">
        <Nav />
      </Dialog>
      <main id="main" ref={main} tabIndex={-1}>
        {liveness === 'broken' ? <Broken /> : null}
        <Outlet />
      </main>
      <KeysHelp opened={help} close={() => setHelp(false)} />
    </div>
  );
}

function SearchField({ field }: { readonly field: React.RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const { q } = useSearch({ strict: false }) as { q?: string };
  return (
    <form
      role="search"
      aria-label="Everything"
      className="top-search"
      onSubmit={(event) => {
        event.preventDefault();
        const text = field.current?.value.trim() ?? '';
        if (text !== '') void navigate({ to: '/search', search: { q: text } });
        field.current?.blur();
      }}
    >
      <Icon name="search" />
      <input
        ref={field}
        key={q}
        type="search"
        name="q"
        defaultValue={q ?? ''}
        maxLength={300}
        aria-label="Search by any id, key, order, payer, seller, transaction"
        placeholder="Any id, key, order, payer, seller, transaction"
        autoComplete="off"
        spellCheck={false}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

const LIVE: Readonly<Record<Liveness, readonly [word: string, icon: IconName, means: string]>> = {
  live: ['live', 'pulse', 'Changes are shown as they happen'],
  connecting: ['connecting', 'clock', 'Changes are not followed yet'],
  broken: ['not live', 'stop', 'Changes are not followed: what is shown may be old'],
};

function LiveTag({ liveness }: { readonly liveness: Liveness }) {
  const [word, icon, means] = LIVE[liveness];
  return (
    <span className={`live live-${liveness}`} title={means} role="status">
      <Icon name={icon} /> <span className="live-word">{word}</span>
    </span>
  );
}

function Broken() {
  return (
    <div className="notice notice-warn" role="status">
      <Icon name="clock" size={16} />
      <div className="notice-body">
        <p>
          <strong>Not live.</strong> The server does not send changes at the moment, so what you see may be old. It is
          tried again every few seconds;{' '}
          <button type="button" className="link" onClick={() => void queryClient.invalidateQueries()}>
            read everything now
          </button>
          .
        </p>
      </div>
    </div>
  );
}

const SCHEMES = ['auto', 'light', 'dark'] as const;
const SCHEME_ICONS = { auto: 'screen', light: 'sun', dark: 'moon' } as const;

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const next = SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length] ?? 'auto';
  const words = colorScheme === 'auto' ? 'as the system' : colorScheme;
  return (
    <button
      type="button"
      className="bare"
      aria-label={`Colours: ${words}. Change to ${next === 'auto' ? 'as the system' : next}`}
      title={`Colours: ${words}`}
      onClick={() => setColorScheme(next)}
    >
      <Icon name={SCHEME_ICONS[colorScheme]} size={18} />
    </button>
  );
}

function Person() {
  const { data: session } = useQuery(sessionQuery);
  const signOut = useMutation({
    mutationFn: () => remove('/console/session'),
    onSettled() {
      rememberCsrf(undefined);
      queryClient.setQueryData(sessionQuery.queryKey, null);
      queryClient.removeQueries({ predicate: ({ queryKey: [name] }) => name !== 'session' });
    },
  });
  return (
    <span className="person">
      <span className="person-name">
        {session?.name} <span className="muted">{session?.role}</span>
      </span>
      <Button variant="default" size="compact-sm" loading={signOut.isPending} onClick={() => signOut.mutate()}>
        Sign out
      </Button>
    </span>
  );
}

const MONEY = LISTS.filter(({ kind }) => kind !== 'webhook' && kind !== 'decision');
const RECORDS = LISTS.filter(({ kind }) => kind === 'webhook' || kind === 'decision');

function Nav() {
  const overview = useQuery({ ...overviewQuery, enabled: true });
  const asked = overview.data?.needs_a_person ?? [];
  const waiting = useInfiniteQuery(listQuery('decisions', { state: 'pending_approval' }));
  const forSecond = waiting.data?.pages.flatMap(({ items }) => items).length ?? 0;
  const countOf = (kind: string) => asked.filter((one) => one.kind === kind).reduce((sum, { count }) => sum + count, 0);
  return (
    <nav aria-label="Pages">
      <ul className="nav">
        <li>
          <Link to="/" activeOptions={{ exact: true }}>
            Overview
          </Link>
        </li>
        <li>
          <Link to="/approvals">
            For a second person <Count of={forSecond} what="wait" />
          </Link>
        </li>
        <li>
          <Link to="/decide">Decide about many</Link>
        </li>
      </ul>
      <h2 className="nav-head">Money</h2>
      <ul className="nav">
        {MONEY.map(({ path, title, kind }) => (
          <li key={path}>
            <Link to="/$list" params={{ list: path }} search={{}} activeOptions={{ includeSearch: false }}>
              {title} <Count of={countOf(kind)} what="need a person" />
            </Link>
          </li>
        ))}
      </ul>
      <h2 className="nav-head">Records</h2>
      <ul className="nav">
        {RECORDS.map(({ path, title }) => (
          <li key={path}>
            <Link to="/$list" params={{ list: path }} search={{}} activeOptions={{ includeSearch: false }}>
              {title}
            </Link>
          </li>
        ))}
        <li>
          <Link to="/drift">
            Drift <Count of={overview.data?.counts.drift ?? 0} what="need a person" />
          </Link>
        </li>
        <li>
          <Link to="/payouts">
            Payouts <Count of={overview.data?.counts.payouts_failed ?? 0} what="need a person" />
          </Link>
        </li>
        <li>
          <Link to="/runbooks">Runbooks</Link>
        </li>
      </ul>
    </nav>
  );
}

function Count({ of, what }: { readonly of: number; readonly what: string }) {
  if (of === 0) return null;
  return (
    <span className="count" title={`${of} ${what}`}>
      {of.toLocaleString('en-GB')}
      <span className="sr"> {what}</span>
    </span>
  );
}

function KeysHelp({ opened, close }: { readonly opened: boolean; readonly close: () => void }) {
  const areOn = useKeysAreOn();
  return (
    <Dialog opened={opened} close={close} title="Keys">
      <dl className="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <Switch
        label="Single keys do something"
        description="Switch it off if you dictate, or if a key is in your way"
        checked={areOn}
        onChange={({ currentTarget }) => switchKeys(currentTarget.checked)}
      />
    </Dialog>
  );
}
