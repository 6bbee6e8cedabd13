import type { Pass } from './lane-pass.js';

interface Pages<Item> {
  /** All items of a page are worked on at once. */
  readonly size: number;
  readonly take: (limit: number) => Promise<readonly Item[]>;
  /** @returns whether something came of it; never rejects */
  readonly work: (item: Item) => Promise<boolean>;
}

/**
 * Works through what a provider is asked about, until a page is not full or the time is over. Of whoever answers nothing about
 * a whole page, nothing more is asked in this pass.
 */
export async function pageByPage<Item>(
  { size, take, work }: Pages<Item>,
  pass: Pick<Pass, 'over'>,
): Promise<{ readonly done: number; readonly left: number }> {
  let done = 0;
  let left = 0;
  for (;;) {
    const items = await take(size);
    const worked = (await Promise.all(items.map(work))).filter(Boolean).length;
    done += worked;
    left += items.length - worked;
    if (worked === 0 || items.length < size || pass.over()) return { done, left };
  }
}
