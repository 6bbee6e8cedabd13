const NO_MORE = { done: true, value: undefined } as const;

/**
 * Works through `items` so many at a time, each begun when an earlier one ends, until there are none or `over` says so; it is
 * asked after the first ones, because time that was used up by finding the items must not keep all of them waiting for ever.
 */
export async function withConcurrency<Item>(
  width: number,
  items: Iterable<Item>,
  over: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = over() ? NO_MORE : left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, one));
}
