import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { type Outcome, readAnswer } from './answers.js';
import { pageOf } from './facts.js';

interface Listing<Item> {
  /** One HTTP request. */
  readonly ask: (startingAfter: string | undefined) => Promise<Outcome>;
  readonly read: (item: JsonObject) => Item | undefined;
  readonly idOf: (item: Item) => string;
}

/** Every page, or an answer that says why not all could be read: half a list proves no absence. */
export async function allPages<Item>({ ask, read, idOf }: Listing<Item>): Promise<ReadAnswer<readonly Item[]>> {
  const found = new Map<string, Item>();
  let startingAfter: string | undefined;
  for (;;) {
    const page = readAnswer(await ask(startingAfter), (object) => pageOf(object, read));
    if (page.kind !== 'found') return page;
    const { items, hasMore } = page.value;
    const known = found.size;
    for (const item of items) found.set(idOf(item), item);
    if (!hasMore) return { kind: 'found', value: [...found.values()] };
    const last = items.at(-1);
    if (last === undefined || found.size === known) {
      return { kind: 'unclear', detail: 'stripe says that its list goes on, but the next page holds nothing new' };
    }
    startingAfter = idOf(last);
  }
}
