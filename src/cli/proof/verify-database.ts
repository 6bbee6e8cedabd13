import { plural } from '../../domain/plural.js';
import { type AnchorMark, wrongEnd } from '../../domain/proof/anchor-marks.js';
import { type AnchorStore, anchorEndOf, anchorOf, type ChainHead } from '../../domain/proof/anchors.js';
import { type BrokenChain, brokenLink, type ChainedEvent, itemName } from '../../domain/proof/chain.js';
import { createDigestSet } from '../../domain/proof/digest-set.js';
import { AnchorBroken, type ReadAnchor, readAnchor } from '../../domain/proof/verify-anchor.js';
import type { BesideChains, HeadInLedger } from '../../ledger/proof/event-chains.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withAuditLedger } from '../operator-ledger.js';
import { everySoOften } from '../progress.js';
import { rawLines } from '../raw-lines.js';

/** With the anchor that shows it, where none of the chain's own digests does; a broken anchor has no item. */
interface Finding extends Omit<BrokenChain, 'item' | 'place'> {
  readonly item: string | null;
  readonly place: number | null;
  readonly anchor: string | null;
}

/** So many are told; more would tell nothing new. */
const MOST_TOLD = 20;
const HEADS_AT_ONCE = 1_000;
/** The last line of a file is much shorter. */
const END_BYTES = 4_096;
/** A day's file may miss what was written by a transaction that was open, and the next one has it. */
const DAY_MS = 86_400_000;

/** Every chain is walked from its first event to its last, as all was at one moment, and then compared with the anchors. */
export async function verifyDatabase(
  context: CliContext,
  { anchors: given, json }: { readonly anchors?: string; readonly json?: true },
): Promise<void> {
  const directory = given ?? context.readOperatorConfig().auditAnchorDir;
  const store = directory === undefined ? undefined : context.anchors(directory);
  // Named before the chains are read: what is anchored meanwhile says nothing of them.
  const names = store ? await namesIn(store) : [];
  const compared = createComparison(store, names, directory ?? '');
  const chains = createChainWalk((last) => compared.missesEndOf(last));
  const tellProgress = everySoOften(
    context,
    () => `${chains.events} events and ${compared.heads} anchored heads checked`,
  );
  await withAuditLedger(context, (ledger) =>
    ledger.walkChains({
      onBegin: (beside) => compared.run(beside, tellProgress),
      onPage: (events) => {
        for (const event of events) chains.take(event);
        tellProgress();
        return Promise.resolve();
      },
    }),
  );
  chains.end();
  report(context, { chains, compared, files: compared.files, json: json === true });
}

async function namesIn(store: AnchorStore): Promise<readonly string[]> {
  return await store.names().catch((cause: Error) => {
    throw new CommandRefused(`the anchors cannot be read: ${cause.message}`, { cause });
  });
}

/** The first thing that is wrong with each chain. */
function createChainWalk(missesEndOf: (last: ChainedEvent) => BrokenChain | undefined) {
  const findings: BrokenChain[] = [];
  let last: ChainedEvent | undefined;
  let broken = false;
  const endOfChain = () => {
    const found = last && !broken ? missesEndOf(last) : undefined;
    if (found) findings.push(found);
  };
  const walk = {
    events: 0,
    items: 0,
    findings,
    take(event: ChainedEvent): void {
      const goesOn = last !== undefined && itemName(last) === itemName(event);
      if (!goesOn) {
        endOfChain();
        walk.items += 1;
        broken = false;
      }
      walk.events += 1;
      const found = broken ? undefined : brokenLink(event, goesOn ? last : undefined);
      if (found) {
        broken = true;
        findings.push(found);
      }
      last = event;
    },
    end: endOfChain,
  };
  return walk;
}

function createComparison(store: AnchorStore | undefined, given: readonly string[], directory: string) {
  const anchored = createDigestSet();
  const found = new Map<string, Finding>();
  let young: { readonly from: string; readonly to: string } | undefined;
  const comparison = {
    files: given.length,
    heads: 0,
    findings: [] as Finding[],

    async run(beside: BesideChains, tellProgress: () => void): Promise<void> {
      if (!store) return;
      const names = await namesUpTo(store, given, beside.marked);
      comparison.files = names.length;
      // Where Postgres knows of one that was written, that one is missing, and is named below.
      if (names.length === 0 && (beside.marked?.number ?? 0) === 0)
        throw new CommandRefused(`there is no anchor in ${directory}`);
      let before: ReadAnchor | undefined;
      let complete: ReadAnchor | undefined;
      for (const name of names) {
        try {
          before = await inBatches(store, { name, before }, async (heads) => {
            const stand = await beside.compare(heads);
            for (const [nth, head] of heads.entries()) {
              const finding = differenceOf(head, stand[nth], name);
              if (finding && !found.has(itemName(head))) found.set(itemName(head), finding);
              if (!finding && stand[nth]?.last === head.place) anchored.add(head.digest);
            }
            comparison.heads += heads.length;
            tellProgress();
          });
          if (before.complete) complete = before;
        } catch (error) {
          if (!(error instanceof AnchorBroken)) throw error;
          comparison.findings.push({ ...OF_ANCHOR, anchor: name, detail: error.message });
          break;
        }
      }
      if (comparison.findings.length === 0) comparison.findings.push(...(await wrongAtEnd(store, names, beside)));
      // Where anchors are wrong or not there, whatever they lack would be told of every chain.
      if (comparison.findings.length === 0 && complete) young = youngAt(beside.now, complete);
      comparison.findings.push(...found.values());
    },

    /** A chain that has not changed for a day before the last anchor stands in one of them as it is. */
    missesEndOf(last: ChainedEvent): BrokenChain | undefined {
      if (
        !young ||
        found.has(itemName(last)) ||
        (last.at >= young.from && last.at <= young.to) ||
        anchored.has(last.digest)
      )
        return undefined;
      const { place } = last;
      const detail = `it was written at ${last.at}, and no anchor has it, or was made of another end of its chain`;
      return { problem: 'not_anchored', item: itemName(last), place, detail };
    },
  };
  return comparison;
}

const OF_ANCHOR = { problem: 'changed', item: null, place: null } as const;

/** In the form of an event's `at`. What claims to be of the future is not young. */
function youngAt(now: string, { madeAt }: ReadAnchor): { readonly from: string; readonly to: string } {
  const inForm = (ms: number) => new Date(ms).toISOString().slice(0, -1);
  return { from: inForm(Date.parse(madeAt) - DAY_MS), to: inForm(Date.parse(now) + DAY_MS) };
}

/** What was written between the look at the directory and that at Postgres is there by now, and nothing later counts. */
async function namesUpTo(
  store: AnchorStore,
  given: readonly string[],
  marked: AnchorMark | undefined,
): Promise<readonly string[]> {
  const numberOf = (name: string | undefined) => (name === undefined ? 0 : (anchorOf(name)?.number ?? 0));
  if (!marked || numberOf(given.at(-1)) >= marked.number) return given;
  return (await store.names()).filter((name) => numberOf(name) <= marked.number);
}

/** Whether the last anchor is what Postgres says was written last, and is young enough. */
async function wrongAtEnd(
  store: AnchorStore,
  names: readonly string[],
  { now, marked, knows }: BesideChains,
): Promise<readonly Finding[]> {
  const name = names.at(-1) ?? '';
  const named = anchorOf(name);
  const text = named ? Buffer.from(await store.readEnd(name, END_BYTES)).toString('utf8') : '';
  const end = anchorEndOf(text.trimEnd().split('\n').at(-1) ?? '');
  const last = named && end ? { ...named, digest: end.digest } : undefined;
  const wrong = wrongEnd({
    last,
    marked,
    known: last !== undefined && (await knows(last)),
    today: now.slice(0, 10),
  });
  if (wrong) return [{ ...OF_ANCHOR, anchor: wrong.anchor, detail: wrong.why }];
  const yesterday = new Date(Date.parse(now) - DAY_MS).toISOString().slice(0, 10);
  return last && last.day < yesterday
    ? [{ ...OF_ANCHOR, anchor: name, detail: `is the last one, and nothing was anchored since ${last.day}` }]
    : [];
}

async function inBatches(
  store: AnchorStore,
  { name, before }: { readonly name: string; readonly before: ReadAnchor | undefined },
  take: (heads: readonly ChainHead[]) => Promise<void>,
): Promise<ReadAnchor> {
  let heads: ChainHead[] = [];
  const flush = async () => {
    const batch = heads;
    heads = [];
    if (batch.length > 0) await take(batch);
  };
  const read = await readAnchor(name, rawLines(store.read(name)), {
    before,
    onHead: async (head) => {
      heads.push(head);
      if (heads.length >= HEADS_AT_ONCE) await flush();
    },
  });
  await flush();
  return read;
}

function differenceOf(head: ChainHead, stands: HeadInLedger | undefined, name: string): Finding | undefined {
  if (stands?.digest === head.digest) return undefined;
  const item = itemName(head);
  const day = anchorOf(name)?.day ?? name;
  const last = stands?.last ?? 0;
  if (stands?.digest === null && last < head.place) {
    const detail = `on ${day} the chain had ${head.place} events, and has ${last} now`;
    return { problem: 'missing', item, place: last + 1, anchor: name, detail };
  }
  const detail = `event ${head.place} or one before it is not what it was on ${day}, and the chain was written anew after it`;
  return { problem: 'changed', item, place: head.place, anchor: name, detail };
}

interface Report {
  readonly chains: ReturnType<typeof createChainWalk>;
  readonly compared: ReturnType<typeof createComparison>;
  readonly files: number;
  readonly json: boolean;
}

function report({ out, err }: CliContext, { chains, compared, files, json }: Report): void {
  const walked = chains.findings.map((finding): Finding => ({ ...finding, anchor: null }));
  const told = new Set(walked.map(({ item }) => item));
  const findings = [...walked, ...compared.findings.filter(({ item }) => item === null || !told.has(item))];
  const { events, items } = chains;
  const [first] = findings;
  if (json) {
    const anchors = { files, heads: compared.heads };
    const answer = { ok: !first, events, items, anchors, broken: findings.length };
    out(JSON.stringify({ ...answer, first: first ?? null, findings: findings.slice(0, MOST_TOLD) }));
  } else if (first) {
    for (const finding of findings.slice(0, MOST_TOLD)) out(inWords(finding));
  } else {
    const anchored =
      files === 0 ? 'compared with no anchor' : `${plural(compared.heads, 'head')} in ${plural(files, 'anchor')} agree`;
    out(
      `${plural(events, 'event')} of ${plural(items, 'item')} ${events === 1 ? 'is as it was' : 'are as they were'} written; ${anchored}`,
    );
  }
  if (first) throw new CommandRefused(`${findings.length} chains or anchors are broken, the first: ${inWords(first)}`);
  if (files === 0)
    err('without --anchors a chain that was cut off, or written anew from the first change on, is not seen');
}

const inWords = ({ problem, item, place, anchor, detail }: Finding): string =>
  item === null ? `anchor ${anchor}: ${detail}` : `${item} event ${place}: ${problem}. ${detail}`;
