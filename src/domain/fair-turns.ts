/** Work that keeps this process busy for a moment: one piece at a time, every lane in turn, and whatever else waits between two. */
export interface FairTurns {
  /** @param lane whoever asks: one that asks for much waits for itself, and holds up others by one piece at most */
  run<T>(lane: string, work: () => Promise<T>): Promise<T>;
}

const letOthersRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createFairTurns(pause: () => Promise<void> = letOthersRun): FairTurns {
  /** In the order of their turns: a lane that had one goes to the end. */
  const lanes = new Map<string, (() => Promise<void>)[]>();
  let atWork = false;

  async function workOff(): Promise<void> {
    atWork = true;
    for (let [next] = lanes; next !== undefined; [next] = lanes) {
      const [lane, [piece, ...waiting]] = next;
      lanes.delete(lane);
      if (waiting.length > 0) lanes.set(lane, waiting);
      await piece?.();
      await pause();
    }
    atWork = false;
  }

  return {
    run: (lane, work) =>
      new Promise((resolve, reject) => {
        const piece = () => work().then(resolve, reject);
        const waiting = lanes.get(lane);
        if (waiting) waiting.push(piece);
        else lanes.set(lane, [piece]);
        if (!atWork) void workOff();
      }),
  };
}
