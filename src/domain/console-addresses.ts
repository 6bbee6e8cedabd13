/** Where the console is served, below PUBLIC_URL. */
export const CONSOLE_PATH = '/console';

/** Pages that are linked to from outside the console; its router takes their paths from here. */
export const CONSOLE_PAGES = {
  item: '/item/$kind/$id',
  drift: '/drift',
  payouts: '/payouts',
  seller: '/seller/$account',
} as const;

/** The page of one item, below PUBLIC_URL. */
export const itemAddress = (kind: string, id: string): string =>
  CONSOLE_PATH +
  CONSOLE_PAGES.item.replace('$kind', () => encodeURIComponent(kind)).replace('$id', () => encodeURIComponent(id));

/** The page of all drift, below PUBLIC_URL. */
export const driftAddress = (): string => CONSOLE_PATH + CONSOLE_PAGES.drift;

/** The page of payouts, below PUBLIC_URL. */
export const payoutsAddress = (): string => CONSOLE_PATH + CONSOLE_PAGES.payouts;
