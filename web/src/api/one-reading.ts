interface OneReading {
  /** That this has changed; it is read anew a little later, together with what else has changed by then. */
  changed(item: string): void;
  stop(): void;
}

/**
 * Gathers what has changed, and has it read. What changes meanwhile is read once that reading has ended: one that is broken off for
 * the next costs the server as much, and shows nobody anything.
 */
export function oneReading(gatherMs: number, read: (items: readonly string[]) => Promise<void>): OneReading {
  const items = new Set<string>();
  let underWay: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  async function readAll(): Promise<void> {
    const changed = [...items];
    items.clear();
    // What could not be read says so on its page.
    await read(changed).catch(() => undefined);
    underWay = undefined;
    if (items.size > 0 && !isStopped) soon();
  }

  function soon(): void {
    underWay ??= setTimeout(() => void readAll(), gatherMs);
  }

  return {
    changed(item) {
      items.add(item);
      soon();
    },
    stop() {
      isStopped = true;
      clearTimeout(underWay);
    },
  };
}
