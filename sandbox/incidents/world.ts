import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Asked, ask } from '../demo/ask.js';
import { openShop, type Shop, type ShopOrder } from '../demo/shop.js';
import { untilHolds } from '../demo/until-holds.js';
import type { Stack } from '../stack/stack.js';
import { temporalCommand } from '../stack/temporal-command.js';

type Reversal = ShopOrder['reversals'][number];

/** A running product in which things can go wrong, and the switches of its providers. */
export interface IncidentWorld {
  readonly stack: Pick<Stack, 'endpoints' | 'child'>;
  readonly shop: Shop;
  stripe<T>(path: string, asked?: Asked): Promise<T>;
  hyperswitch<T>(path: string, asked?: Asked): Promise<T>;
  authServer<T>(path: string, asked?: Asked): Promise<T>;
  /** A read of our API, as a viewer. */
  read<T>(path: string): Promise<T>;
  temporal(...args: readonly string[]): Promise<string>;
  /** Beside the rules that there are. */
  addStripeFault(rule: object): Promise<void>;
  /** An order of one lot from each, paid for, and every seller has the share. */
  paid(...sellers: readonly string[]): Promise<ShopOrder>;
  /** The whole order. @returns the first seller's reversal, once it holds */
  refunded(order: ShopOrder, holds: (reversal: Reversal) => boolean): Promise<Reversal>;
}

/** Shares are so small that one person may decide about a day's worth of them. */
const SHARE = 1_500;

/** Long enough to look at what heals by itself, short enough to see it heal; in life each is a minute. */
const WAITS = {
  REVERSAL_MAX_RETRIES: '1',
  REVERSAL_BACKOFF_BASE: '20s',
  REVERSAL_BACKOFF_MAX: '20s',
  REVERSAL_CHECK_INTERVAL: '5s',
  SETTLEMENT_SWEEP_INTERVAL: '5s',
  // What a worker that was killed had begun is asked about again after this.
  SETTLEMENT_HTTP_TIMEOUT: '5s',
};

/** For servers and workers: short waits, and a file that a changed key is put into. It is empty at first. */
export function incidentSettings(directory: string): Readonly<Record<string, string>> {
  const file = join(directory, 'settings.env');
  writeFileSync(file, '', { mode: 0o600 });
  return { ...WAITS, SETTINGS_FILE: file };
}

/** What a supervisor does, where one is told to: server and worker start anew, with the settings as they are now. */
export async function restart({ child }: Pick<Stack, 'child'>): Promise<void> {
  await Promise.all(
    (['server', 'worker'] as const).map(async (name) => {
      await child(name).stop();
      await child(name).start();
    }),
  );
}

/** An account that nobody had before. */
export const newSeller = (): string => `acct_1${randomBytes(6).toString('hex')}`;

/** Looks until it holds. @throws where it never does */
export async function come(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (!(await untilHolds(holds))) throw new Error(`it did not come about: ${what}`);
}

/** @param environment of the caller: where Temporal's program is */
export async function openIncidentWorld(
  stack: Pick<Stack, 'endpoints' | 'child'>,
  environment: NodeJS.ProcessEnv,
): Promise<IncidentWorld> {
  const { server, tokens, stripe, hyperswitch, sandbox, temporal: address } = stack.endpoints;
  const shop = await openShop(stack.endpoints);
  // One after the other: each begins with the rules that there are.
  let added = Promise.resolve();
  const world: IncidentWorld = {
    stack,
    shop,
    stripe: (path, asked) => ask(`${stripe}/control/${path}`, asked),
    hyperswitch: (path, asked) => ask(`${hyperswitch}/control/${path}`, asked),
    authServer: (path, asked) => ask(`${sandbox}/_sandbox/${path}`, asked),
    read: (path) => ask(`${server}/api/v1/${path}`, { headers: { Authorization: `Bearer ${tokens.viewer}` } }),
    temporal: (...args) => temporalCommand({ address, environment }, ...args),
    addStripeFault(rule) {
      const add = async (before: Promise<void>) => {
        await before;
        const { rules } = await world.stripe<{ rules: readonly object[] }>('faults');
        await world.stripe('faults', { method: 'PUT', body: { rules: [...rules, rule] } });
      };
      added = add(added);
      return added;
    },
    async paid(...sellers) {
      const { id } = await shop.sell(Object.fromEntries(sellers.map((seller) => [seller, SHARE])));
      const isPaid = ({ transfers }: ShopOrder) =>
        transfers.length > 0 && transfers.every(({ status }) => status === 'completed');
      await come('every seller is paid', async () => isPaid(await shop.order(id)));
      return await shop.order(id);
    },
    async refunded(order, holds) {
      const first = order.transfers[0]?.seller_account;
      await shop.refund(order.id, {}, crypto.randomUUID());
      let found: Reversal | undefined;
      await come('the share of the refund stands as it should', async () => {
        const { reversals } = await shop.order(order.id);
        found = reversals.find((one) => one.seller_account === first && holds(one));
        return found !== undefined;
      });
      if (!found) throw new Error(`order ${order.id} has no such reversal`);
      return found;
    },
  };
  return world;
}
