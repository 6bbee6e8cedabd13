import { PROTOCOLS, type Protocol } from './settlement-status.js';

/** The chain on which captures of payment channels are settled. */
export const TEMPO = 'tempo';

/** Who settles. Each has a breaker of its own, because they fail apart: also the protocols of one auth server. */
export type SettlementProvider = `auth-server:${Protocol}` | typeof TEMPO;

export const authServerOf = (protocol: Protocol): SettlementProvider => `auth-server:${protocol}`;

/** Every provider with the protocol of its settlements. */
export const SETTLEMENT_PROVIDERS: readonly { readonly provider: SettlementProvider; readonly protocol: Protocol }[] = [
  ...PROTOCOLS.map((protocol) => ({ provider: authServerOf(protocol), protocol })),
  { provider: TEMPO, protocol: 'mpp' },
];

/** Of what a workflow was started with: those of older builds name no provider, and are the auth server's. */
export const providerOf = ({
  protocol,
  provider,
}: {
  readonly protocol: Protocol;
  readonly provider?: SettlementProvider;
}): SettlementProvider => provider ?? authServerOf(protocol);

/** Takes longer than a first attempt inside a workflow task may: ATXP up to 15 s, a chain until the block is there. */
export const isSlow = ({ protocol, provider }: { readonly protocol: Protocol; readonly provider?: string }): boolean =>
  protocol === 'atxp' || provider === TEMPO;
