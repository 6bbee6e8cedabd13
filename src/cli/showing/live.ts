import { isDecidable } from '../../domain/decisions/decisions.js';
import { liveLines, type TimedReading } from '../../domain/explanations/live-reading.js';
import { type LiveItem, readLive } from '../../reading/live.js';
import { type CliContext, CommandRefused } from '../context.js';
import type { OperatorLedger } from '../operator-ledger.js';
import { findItem } from './find-item.js';

export const LIVE_FLAG = '--live';
export const LIVE_HELP =
  'ask the provider what it shows now, and what each decision would meet there; nothing is written and nothing moves';

/** The provider as it is at this moment, of the one item that is meant. @throws CommandRefused of an order, and where nothing is called so */
export async function lookedAt(context: CliContext, ledger: OperatorLedger, text: string): Promise<TimedReading> {
  const item = await findItem(ledger, text);
  if (!isDecidable(item.kind))
    throw new CommandRefused(`--live is for what a decision can be about: name a part of ${item.kind} ${item.id}`);
  const { look } = await context.resolution(context.readOperatorConfig(), ledger);
  const { reading } = await readLive(item as LiveItem, { ledger, look }, () => context.clock.nowMs());
  return reading;
}

interface Told {
  readonly answer: object;
  readonly lines: readonly string[];
}

export const withLive = <Shown extends Told>(told: Shown, reading: TimedReading): Shown => ({
  ...told,
  answer: { ...told.answer, live: liveAnswer(reading) },
  lines: [...told.lines, ...liveLines(reading)],
});

/** As the API has it. */
const liveAnswer = ({ sight: { facts, ...sight }, decisions, readAt }: TimedReading) => ({
  read_at: readAt,
  ...sight,
  shows: facts,
  decisions,
});
