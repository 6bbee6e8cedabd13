import { createStripeRate } from '../calls/stripe-rate.js';
import { createConsoleSessions } from '../console-sessions.js';
import type { Database } from '../database.js';
import { createExplanationFacts } from '../explanation-facts.js';
import { createFigures } from '../figures.js';
import { createItemFinder } from '../find-items.js';
import { createMarketplaceStory } from '../marketplace/marketplace-story.js';
import { createProviderPauses } from '../provider-pauses.js';
import { createStoryReader } from '../settlements/settlement-story.js';
import { changesAfter, newestSeq } from './changes.js';
import { type ChannelFilter, listChannels } from './channel-list.js';
import { type DecisionFilter, listDecided } from './decision-list.js';
import { lastWord, settlementLinks } from './evidence.js';
import { sampleFigures } from './figure-samples.js';
import { itemSummaries } from './item-summaries.js';
import { overviewFacts } from './overview-facts.js';
import { type WaitingQuery, waitingItems } from './waiting-items.js';
import { type InboxFilter, listInbox, type Replay, replayEvent } from './webhook-inbox.js';

/** What persons read, and what they do beside deciding; the product itself asks for none of it but the figures. */
export function createOperatorReading(database: Database) {
  const figures = createFigures(database);
  return {
    figures,
    ...createConsoleSessions(database),
    ...createProviderPauses(database),
    ...createStripeRate(database),
    ...createExplanationFacts(database),
    ...createItemFinder(database),
    ...createMarketplaceStory(database),
    ...createStoryReader(database),
    listChannels: (filter: ChannelFilter) => listChannels(database, filter),
    listWebhooks: (filter: InboxFilter) => listInbox(database, filter),
    listDecisions: (filter: DecisionFilter) => listDecided(database, filter),
    replayWebhook: (replay: Replay) => replayEvent(database, replay),
    waitingItems: (query: WaitingQuery) => waitingItems(database, query),
    newestSeq: () => newestSeq(database),
    changesAfter: (seq: string, limit: number) => changesAfter(database, seq, limit),
    itemSummaries: (ids: readonly string[]) => itemSummaries(database, ids),
    lastWord: (kind: string, id: string) => lastWord(database, kind, id),
    settlementLinks: (id: string) => settlementLinks(database, id),
    overviewFacts: () => overviewFacts(database),
    sampleFigures: () => sampleFigures(database, figures),
  };
}
