import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiProblem, get, pathWith, rememberCsrf } from './client.js';
import type { Seller } from './seller.js';
import type {
  Drift,
  Explanation,
  ListedItem,
  Live,
  Overview,
  Page,
  Payout,
  Reconciliation,
  SearchResults,
  Session,
  Story,
} from './types.js';

/** Everything the pages read, by one name each; live.ts says which of them a change makes old. */

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      // what was refused is refused again; what did not answer may answer
      retry: (times, problem) => times < 2 && problem instanceof ApiProblem && problem.status >= 502,
      retryDelay: 500,
    },
  },
});

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await get<Session>('/console/session');
      rememberCsrf(session.csrf);
      return session;
    } catch (problem) {
      if (problem instanceof ApiProblem && (problem.status === 401 || problem.status === 403)) return null;
      throw problem;
    }
  },
});

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  refetchInterval: 15_000,
  queryFn: ({ signal }) => get<Overview>('/api/v1/overview', signal),
});

export type Filters = Readonly<Record<string, string>>;

export const listQuery = (list: string, filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ['list', list, filters],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      get<Page<ListedItem>>(pathWith(`/api/v1/${list}`, { ...filters, limit: '50', cursor: pageParam }), signal),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });

export const driftQuery = (filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ['drift', filters],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      get<Page<Drift>>(pathWith('/api/v1/drift', { ...filters, limit: '50', cursor: pageParam }), signal),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });

export const payoutsQuery = (filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ['payouts', filters],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      get<Page<Payout>>(pathWith('/api/v1/payouts', { ...filters, limit: '50', cursor: pageParam }), signal),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  });

export const sellerQuery = (account: string) =>
  queryOptions({
    queryKey: ['seller', account],
    refetchInterval: 30_000,
    queryFn: ({ signal }) => get<Seller>(`/api/v1/sellers/${encodeURIComponent(account)}`, signal),
  });

export const lastRunQuery = queryOptions({
  queryKey: ['drift', 'last run'],
  queryFn: ({ signal }) => get<Page<Reconciliation>>('/api/v1/reconciliations?limit=1', signal),
});

export const searchQuery = (text: string) =>
  queryOptions({
    queryKey: ['search', text],
    enabled: text !== '',
    queryFn: ({ signal }) => get<SearchResults>(pathWith('/api/v1/search', { q: text }), signal),
  });

export const explanationQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['item', kind, id, 'explanation'],
    refetchInterval: 30_000,
    queryFn: ({ signal }) => get<Explanation>(`/api/v1/explanations/${kind}/${encodeURIComponent(id)}`, signal),
  });

/** Asks the provider: when the page is opened, and when somebody wants to know again. */
export const liveQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['live', kind, id],
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
    queryFn: ({ signal }) => get<Live>(`/api/v1/live/${kind}/${encodeURIComponent(id)}`, signal),
  });

export const storyQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['item', kind, id, 'story'],
    queryFn: ({ signal }) => get<Story>(`/api/v1/stories/${kind}/${encodeURIComponent(id)}`, signal),
  });

/** The item itself, as its list has it; a channel has no answer of its own. */
export const itemQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['item', kind, id, 'facts'],
    queryFn: ({ signal }) =>
      kind === 'channel'
        ? get<Page<ListedItem>>(pathWith('/api/v1/channels', { key: id }), signal).then(({ items }) => items[0] ?? null)
        : get<ListedItem>(`/api/v1/${kind}s/${encodeURIComponent(id)}`, signal),
  });
