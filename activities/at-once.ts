/** Works through `items` so many at a time, each begun when an earlier one ends, until there are none or `over` says so. */
export async function atOnce<Item>(
  width: number,
  items: Iterable<Item>,
  over: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const one = async (): Promise<void> => {
    while (!over()) {
      const next = left.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: width }, one));
}
