/**
 * Hyperswitch allows a merchant 80 requests a second. Reads take at most these: what is read before money is taken back goes
 * first and has a lane of its own, everything else stands in turn; what is left is for the buyers' own calls.
 */
export const READS_PER_SECOND = { first: 25, in_turn: 20 } as const;
export type ReadLane = keyof typeof READS_PER_SECOND;

export interface PaceLedger {
  takeHyperswitchTurn(lane: ReadLane, perSecond: number, longestMs: number): Promise<number | null>;
}

/** Nobody waits longer: a claim stands behind the read. */
const LONGEST_WAIT_MS = 5_000;

/** @returns false: too many wait already, and the read is to be asked for again later */
export type Pace = (lane: ReadLane) => Promise<boolean>;

export const createPace =
  (ledger: PaceLedger): Pace =>
  async (lane) => {
    const inMs = await ledger.takeHyperswitchTurn(lane, READS_PER_SECOND[lane], LONGEST_WAIT_MS);
    if (inMs === null) return false;
    if (inMs > 0) await new Promise((resolve) => setTimeout(resolve, inMs));
    return true;
  };
