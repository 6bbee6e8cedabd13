export interface Timeline<Row> {
  put(row: Row): void;
  get(id: string): Row | undefined;
  oldestFirst(): readonly Row[];
  /** Those of one whole that `groupOf` names, in order of arrival. */
  of(group: string): readonly Row[];
  clear(): void;
}

/** By time of creation, then by time of arrival: what was seeded as history lies where history was. */
export function createTimeline<Row extends { readonly id: string; readonly created: number }>(
  groupOf: (row: Row) => string | null = () => null,
): Timeline<Row> {
  const rows = new Map<string, Row>();
  const groups = new Map<string, string[]>();
  let order: readonly Row[] | undefined;
  return {
    put(row) {
      const group = groupOf(row);
      if (group !== null && !rows.has(row.id)) groups.set(group, [...(groups.get(group) ?? []), row.id]);
      rows.set(row.id, row);
      order = undefined;
    },
    get: (id) => rows.get(id),
    oldestFirst() {
      // The sort is stable and a Map keeps the order of arrival.
      order ??= Array.from(rows.values()).sort((left, right) => left.created - right.created);
      return order;
    },
    of: (group) => (groups.get(group) ?? []).flatMap((id) => rows.get(id) ?? []),
    clear() {
      rows.clear();
      groups.clear();
      order = undefined;
    },
  };
}
