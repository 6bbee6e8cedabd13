/** Runs one task after another per key; a task that fails holds up nobody. */
export interface ChannelQueue {
  run<T>(key: string, task: () => Promise<T>): Promise<T>;
}

/**
 * Vouchers of one channel must reach the server in the order of their amounts: a lower one that arrives late is refused.
 * So the next one is signed when the answer to the one before has begun.
 */
export function createChannelQueue(): ChannelQueue {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(key, task) {
      const before = tails.get(key) ?? Promise.resolve();
      const mine = before.then(task, task);
      const ended = () => undefined;
      const tail = mine.then(ended, ended).finally(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      tails.set(key, tail);
      return mine;
    },
  };
}
