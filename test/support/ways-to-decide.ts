import { createDecisionActivities } from '../../activities/decision-activities.js';
import type { ChainReader } from '../../src/calls/decisions/ask-chain.js';
import type { HyperswitchVerifierDependencies } from '../../src/calls/decisions/ask-hyperswitch.js';
import type { StripeReader } from '../../src/calls/decisions/ask-stripe.js';
import { createResolution } from '../../src/calls/decisions/decide.js';
import type { DecidableKind } from '../../src/domain/decisions/decisions.js';
import { newDecisionId } from '../../src/domain/ids.js';
import { API_TOKENS, startApi, TOKENS } from './api.js';
import { runMakegood } from './cli.js';
import type { TestLedger } from './ledger-fixtures.js';

/** Every way in which a decision reaches the ledger. */
export const WAYS = ['API', 'CLI with a token', 'CLI without a token', 'signal or update'] as const;
export type Way = (typeof WAYS)[number];

/** Whom nobody has authenticated, whatever name the request bears. */
export const isUnauthenticated = (way: Way): boolean => way === 'CLI without a token' || way === 'signal or update';

export interface Said {
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: string;
  readonly evidence?: Record<string, string> | undefined;
}

export type HyperswitchReader = HyperswitchVerifierDependencies['hyperswitch'];

export interface Answer {
  /** `applied`, `pending_approval` or why not. */
  readonly outcome: string;
  readonly decisionId: string | undefined;
}

interface Asked {
  readonly stripe: StripeReader | undefined;
  readonly chain: ChainReader | undefined;
  readonly hyperswitch: HyperswitchReader;
}

/** Says something in each of the ways, over one ledger. @param asked the providers, as they are at that moment */
export async function openWays(test: TestLedger, threshold: string, asked: () => Asked) {
  const { ledger, clock } = test;
  const resolution = {
    decide: (...given: Parameters<ReturnType<typeof createResolution>['decide']>) =>
      createResolution({ ledger, ...asked() }).decide(...given),
    approve: (...given: Parameters<ReturnType<typeof createResolution>['approve']>) =>
      createResolution({ ledger, ...asked() }).approve(...given),
    look: (...given: Parameters<ReturnType<typeof createResolution>['look']>) =>
      createResolution({ ledger, ...asked() }).look(...given),
  };
  const activities = createDecisionActivities(resolution);
  const api = await startApi({ ledger, resolution });

  async function byApi({ kind, itemId, action, evidence }: Said): Promise<Answer> {
    const path = `/api/v1/${kind}s/${itemId}/resolve`;
    const { status, body } = await api.send(path, { token: TOKENS.operator, json: { action, note: 'x', evidence } });
    if (status === 200) return { outcome: 'applied', decisionId: body.decision_id };
    return { outcome: body.code ?? body.status, decisionId: body.decision_id };
  }

  async function makegood(args: readonly string[], token: string | undefined): Promise<Answer> {
    const out: string[] = [];
    const env = {
      DATABASE_URL: test.url,
      APPROVAL_THRESHOLD: threshold,
      OFFSET: 'on',
      API_TOKENS: API_TOKENS.map(({ name, role, token: secret }) => `${name}:${role}:${secret}`).join(),
    };
    await runMakegood([...args, '--note', 'x', '--json'], {
      env,
      clock,
      token,
      ...asked(),
      out: (line) => out.push(line),
      err: () => undefined,
    });
    const { status, decision_id } = JSON.parse(out.join('\n'));
    return { outcome: status === 'pending_approval' ? status : 'applied', decisionId: decision_id };
  }

  const byCli = ({ itemId, action, evidence }: Said, token: string | undefined): Promise<Answer> =>
    makegood(['resolve', itemId, action, ...(evidence ? ['--evidence', JSON.stringify(evidence)] : [])], token);

  async function byMessage({ kind, itemId, action, evidence }: Said): Promise<Answer> {
    const message = {
      action,
      by: 'olga',
      note: 'x',
      evidence: evidence ?? null,
      decisionId: newDecisionId(clock.nowMs()),
    };
    const result = await (kind === 'settlement'
      ? activities.decide({ settlementId: itemId, ...message })
      : activities.decideMoney({ kind, itemId, ...message }));
    return { outcome: result.kind, decisionId: 'decisionId' in result ? result.decisionId : undefined };
  }

  const SAY: { readonly [One in Way]: (said: Said) => Promise<Answer> } = {
    API: byApi,
    'CLI with a token': (said) => byCli(said, TOKENS.operator),
    'CLI without a token': (said) => byCli(said, undefined),
    'signal or update': byMessage,
  };
  return {
    say: (way: Way, said: Said): Promise<Answer> => SAY[way](said),
    /** By the API, or by the CLI alone. @returns `applied`, `pending_approval` or why not */
    async approve(decisionId: string, token: string, way: 'API' | 'CLI'): Promise<string> {
      if (way === 'CLI')
        return await makegood(['approve', decisionId], token).then(
          ({ outcome }) => outcome,
          (error: Error) => (error.message.includes('is one person') ? 'self_approval' : error.message),
        );
      const path = `/api/v1/decisions/${decisionId}/approve`;
      const { status, body } = await api.send(path, { token, json: { note: 'checked' } });
      return status === 200 ? 'applied' : (body.code ?? body.status);
    },
    close: () => api.close(),
  };
}
