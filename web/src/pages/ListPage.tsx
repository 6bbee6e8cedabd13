import { Button, Checkbox, NativeSelect, Popover, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { spoken } from '../../../src/domain/words.js';
import { getFile, pathWith } from '../api/client.js';
import { type Filters, listQuery } from '../api/queries.js';
import type { ListedItem } from '../api/types.js';
import { plural, shortId } from '../format/text.js';
import type { Column, Filter, List } from '../lists/columns.js';
import { listOf } from '../lists/lists.js';
import { Amount, columnOf } from '../parts/Amount.js';
import { Icon } from '../parts/Icon.js';
import { ItemLink } from '../parts/ItemLink.js';
import { PageHead } from '../parts/PageHead.js';
import { Empty, Loading, Problem, Stale } from '../parts/States.js';
import { ReplayButton } from './Replay.js';

/** One list of items: its filters stand in the address, so that a look at it can be sent to somebody. */
export function ListPage() {
  const { list: path } = useParams({ strict: false }) as { list: string };
  const list = listOf(path);
  if (!list) return <Empty icon="search" title={`There is no list called ${path}`} />;
  return <Listing key={path} list={list} />;
}

function Listing({ list }: { readonly list: List }) {
  const search = useSearch({ strict: false }) as Filters;
  const { columns, chosen, choose } = useColumns(list);
  const filters = sentFilters(list, search);
  const query = useInfiniteQuery(listQuery(list.path, filters));
  const csv = useMutation({ mutationFn: () => saveCsv(list, filters) });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <>
      <PageHead title={list.title} about={list.about}>
        <ColumnChoice list={list} chosen={chosen} choose={choose} />
        <Button
          variant="default"
          size="compact-md"
          leftSection={<Icon name="csv" />}
          loading={csv.isPending}
          onClick={() => csv.mutate()}
        >
          CSV
        </Button>
      </PageHead>
      {csv.isError ? <Problem error={csv.error} /> : null}
      <FilterBar list={list} search={search} />
      {query.isError && items.length > 0 ? <Stale error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isPending ? <Loading rows={10} what={list.title.toLowerCase()} /> : null}
      {query.isError && items.length === 0 ? <Problem error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && items.length === 0 ? (
        <Empty
          icon={isFiltered ? 'search' : 'check'}
          title={isFiltered ? `No ${list.one} fits these filters` : `There is no ${list.one} yet`}
        >
          {isFiltered ? 'Take one of the filters away.' : 'It appears here as soon as there is one.'}
        </Empty>
      ) : null}
      {items.length > 0 ? (
        <>
          <Table list={list} columns={columns} items={items} />
          <div className="table-foot">
            <span className="muted">{plural(items.length, list.one)} shown, newest first</span>
            {query.hasNextPage ? (
              <Button
                variant="default"
                size="compact-md"
                loading={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                Show more
              </Button>
            ) : null}
          </div>
        </>
      ) : null}
    </>
  );
}

function Table({
  list,
  columns,
  items,
}: {
  readonly list: List;
  readonly columns: readonly Column[];
  readonly items: readonly ListedItem[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be scrolled by keys too
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-wrap" tabIndex={0} role="group" aria-label={list.title}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{list.kind === 'decision' ? 'Decision' : 'Id'}</th>
            {columns.map(({ id, head, money }) => (
              <th key={id} scope="col" className={money ? 'number' : undefined}>
                {head}
              </th>
            ))}
            {list.kind === 'webhook' ? <th scope="col">Replay</th> : null}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <Row key={item.id} list={list} item={item} columns={columns} items={items} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  list,
  item,
  columns,
  items,
}: {
  readonly list: List;
  readonly item: ListedItem;
  readonly columns: readonly Column[];
  readonly items: readonly ListedItem[];
}) {
  const to = list.to(item);
  return (
    <tr className={item.attention ? 'row-attention' : undefined}>
      <th scope="row" data-head={list.one}>
        {to ? (
          <ItemLink kind={to.kind} id={to.id} row>
            <code>{shortId(item.id)}</code>
          </ItemLink>
        ) : (
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <code data-row="" tabIndex={0} title={item.id}>
            {shortId(item.id)}
          </code>
        )}
      </th>
      {columns.map((column) => (
        <td key={column.id} data-head={column.head} className={column.money ? 'number' : undefined}>
          {cellOf(column, item, items)}
        </td>
      ))}
      {list.kind === 'webhook' ? (
        <td data-head="Replay">
          <ReplayButton event={item.id} />
        </td>
      ) : null}
    </tr>
  );
}

function cellOf(column: Column, item: ListedItem, items: readonly ListedItem[]): ReactNode {
  if (!column.money) return column.cell?.(item);
  return <Amount money={column.money(item)} {...columnOf(items.map((one) => column.money?.(one)))} />;
}

/** The columns are a habit of a person, so this browser keeps them; the filters are the question. */
function useColumns(list: List) {
  const place = `makegood.columns.${list.path}`;
  const [chosen, setChosen] = useState<readonly string[]>(() => kept(place) ?? standard(list));
  return {
    chosen,
    columns: list.columns.filter(({ id }) => chosen.includes(id)),
    choose: (next: readonly string[]) => {
      localStorage.setItem(place, JSON.stringify(next));
      setChosen(next);
    },
  };
}

const standard = (list: List): readonly string[] =>
  list.columns.filter(({ optional }) => !optional).map(({ id }) => id);

function kept(place: string): readonly string[] | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(place) ?? 'null');
    return Array.isArray(found) ? (found as string[]) : undefined;
  } catch {
    return undefined;
  }
}

function ColumnChoice({
  list,
  chosen,
  choose,
}: {
  readonly list: List;
  readonly chosen: readonly string[];
  readonly choose: (next: readonly string[]) => void;
}) {
  return (
    <Popover position="bottom-end" shadow="md" trapFocus returnFocus withinPortal={false}>
      <Popover.Target>
        <Button variant="default" size="compact-md" leftSection={<Icon name="columns" />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <fieldset className="column-choice">
          <legend>Columns</legend>
          {list.columns.map(({ id, head }) => (
            <Checkbox
              key={id}
              size="xs"
              label={head}
              checked={chosen.includes(id)}
              onChange={({ currentTarget }) =>
                choose(currentTarget.checked ? [...chosen, id] : chosen.filter((one) => one !== id))
              }
            />
          ))}
          <button type="button" className="link" onClick={() => choose(standard(list))}>
            As they were
          </button>
        </fieldset>
      </Popover.Dropdown>
    </Popover>
  );
}

function FilterBar({ list, search }: { readonly list: List; readonly search: Filters }) {
  const navigate = useNavigate();
  // on a phone they would hide the list
  const [isOpen, setOpen] = useState(false);
  const set = (name: string, value: string) => {
    const next = { ...search, [name]: value };
    if (value === '') delete (next as Record<string, string>)[name];
    void navigate({ to: '/$list', params: { list: list.path }, search: next, replace: true });
  };
  const active = list.filters.filter(({ name }) => search[name]);
  return (
    <>
      <Button
        className="filters-toggle"
        variant="default"
        size="compact-md"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        Filters{active.length > 0 ? ` (${active.length})` : ''}
      </Button>
      <form
        className={isOpen ? 'filters filters-open' : 'filters'}
        role="search"
        aria-label={`Filters of ${list.title}`}
        onSubmit={(event) => event.preventDefault()}
      >
        {list.filters.map((filter) => (
          <FilterField
            key={filter.name}
            filter={filter}
            value={search[filter.name] ?? ''}
            set={(value) => set(filter.name, value)}
          />
        ))}
        {active.length > 0 ? (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => void navigate({ to: '/$list', params: { list: list.path }, search: {} })}
          >
            Clear {plural(active.length, 'filter')}
          </Button>
        ) : null}
      </form>
    </>
  );
}

function FilterField({
  filter,
  value,
  set,
}: {
  readonly filter: Filter;
  readonly value: string;
  readonly set: (value: string) => void;
}) {
  const { label, values, type, name } = filter;
  if (values)
    return (
      <NativeSelect
        size="xs"
        label={label}
        value={value}
        data-on={value === '' ? undefined : ''}
        onChange={({ currentTarget }) => set(currentTarget.value)}
        data={[
          { value: '', label: 'any' },
          ...values.map((one) => ({
            value: one,
            label: name === 'needs_attention' ? (one === 'true' ? 'yes' : 'no') : spoken(one),
          })),
        ]}
      />
    );
  return (
    <TextInput
      // what is typed is asked for when it is finished; another address empties it
      key={value}
      size="xs"
      label={label}
      type={type ?? 'text'}
      defaultValue={value}
      maxLength={255}
      data-on={value === '' ? undefined : ''}
      onBlur={({ currentTarget }) => currentTarget.value.trim() !== value && set(currentTarget.value.trim())}
      onKeyDown={(event) => event.key === 'Enter' && set(event.currentTarget.value.trim())}
    />
  );
}

/** Only what the list knows; a day is sent as its first moment. */
function sentFilters(list: List, search: Filters): Filters {
  const sent = list.filters.flatMap(({ name, type }) => {
    const value = search[name];
    if (!value) return [];
    return [[name, type === 'date' ? `${value}T00:00:00Z` : value] as const];
  });
  return Object.fromEntries(sent);
}

/** What is shown and what would follow, 200 rows at most, as the API writes it. */
async function saveCsv(list: List, filters: Filters): Promise<void> {
  const file = await getFile(pathWith(`/api/v1/${list.path}`, { ...filters, limit: '200' }), 'text/csv');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `${list.path}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
