import type { Ledger } from '../../src/ledger/ledger.js';
import type { LaneWork } from './lane-pass.js';

const PAGE = 500;
const CHANNELS_PAGE = 1_000;

/** Keeps the ledger tidy: erases and re-encrypts secrets, prunes what can pay for nothing any more. */
export const createUpkeep =
  (ledger: Pick<Ledger, 'eraseOverdue' | 'eraseNamedAnswers' | 'reseal' | 'pruneChannels'>): LaneWork =>
  async () => ({
    erased: (await ledger.eraseOverdue(PAGE)) + (await ledger.eraseNamedAnswers(PAGE)),
    resealed: await ledger.reseal(PAGE),
    pruned: await ledger.pruneChannels(CHANNELS_PAGE),
  });
