import { plural } from '../../domain/plural.js';
import { type AnchorStore, anchorOf, type ChainHead } from '../../domain/proof/anchors.js';
import { type BrokenChain, brokenLink, type ChainedEvent, itemName } from '../../domain/proof/chain.js';
import { AnchorBroken, type ReadAnchor, readAnchor } from '../../domain/proof/verify-anchor.js';
import type { HeadInLedger } from '../../ledger/proof/event-chains.js';
import { type CliContext, CommandRefused } from '../context.js';
import { withAuditLedger } from '../operator-ledger.js';
import { everySoOften } from '../progress.js';
import { rawLines } from '../raw-lines.js';

type Compare = (heads: readonly ChainHead[]) => Promise<readonly HeadInLedger[]>;

/** With the anchor that shows it, where none of the chain's own digests does; a broken anchor has no item. */
interface Finding extends Omit<BrokenChain, 'item' | 'place'> {
  readonly item: string | null;
  readonly place: number | null;
  readonly anchor: string | null;
}

/** So many are told; more would tell nothing new. */
const MOST_TOLD = 20;
const HEADS_AT_ONCE = 1_000;

/** Every chain is walked from its first event to its last, as all was at one moment, and then compared with the anchors. */
export async function verifyDatabase(
  context: CliContext,
  { anchors: given, json }: { readonly anchors?: string; readonly json?: true },
): Promise<void> {
  const directory = given ?? context.readOperatorConfig().auditAnchorDir;
  const store = directory === undefined ? undefined : context.anchors(directory);
  // Named before the chains are read: what is anchored meanwhile says nothing of them.
  const names = store ? await namesIn(store, directory ?? '') : [];
  const chains = createChainWalk();
  const compared = createComparison(store, names);
  const tellProgress = everySoOften(
    context,
    () => `${chains.events} events and ${compared.heads} anchored heads checked`,
  );
  await withAuditLedger(context, (ledger) =>
    ledger.walkChains({
      onPage: (events) => {
        for (const event of events) chains.take(event);
        tellProgress();
        return Promise.resolve();
      },
      onEnd: (compare) => compared.run(compare, tellProgress),
    }),
  );
  report(context, { chains, compared, files: names.length, json: json === true });
}

async function namesIn(store: AnchorStore, directory: string): Promise<readonly string[]> {
  const names = await store.names().catch((cause: Error) => {
    throw new CommandRefused(`the anchors cannot be read: ${cause.message}`, { cause });
  });
  if (names.length === 0) throw new CommandRefused(`there is no anchor in ${directory}`);
  return names;
}

/** The first thing that is wrong with each chain. */
function createChainWalk() {
  const findings: BrokenChain[] = [];
  let last: ChainedEvent | undefined;
  let broken = false;
  const walk = {
    events: 0,
    items: 0,
    findings,
    take(event: ChainedEvent): void {
      const goesOn = last !== undefined && itemName(last) === itemName(event);
      if (!goesOn) {
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
  };
  return walk;
}

function createComparison(store: AnchorStore | undefined, names: readonly string[]) {
  const comparison = {
    heads: 0,
    findings: [] as Finding[],
    async run(compare: Compare, tellProgress: () => void): Promise<void> {
      if (!store) return;
      const found = new Map<string, Finding>();
      let before: ReadAnchor | undefined;
      for (const name of names) {
        try {
          before = await inBatches(store, { name, before }, async (heads) => {
            const stand = await compare(heads);
            for (const [nth, head] of heads.entries()) {
              const finding = differenceOf(head, stand[nth], name);
              if (finding && !found.has(itemName(head))) found.set(itemName(head), finding);
            }
            comparison.heads += heads.length;
            tellProgress();
          });
        } catch (error) {
          if (!(error instanceof AnchorBroken)) throw error;
          const broken = { problem: 'changed', item: null, place: null, anchor: name, detail: error.message } as const;
          comparison.findings.push(broken);
          break;
        }
      }
      comparison.findings.push(...found.values());
    },
  };
  return comparison;
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
