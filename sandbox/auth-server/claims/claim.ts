// Nothing here is shared with the product's own reading of credentials: a stand-in that shares the product's code
// would agree with its mistakes.

export type SandboxProtocol = 'atxp' | 'x402' | 'mpp';
export const SANDBOX_PROTOCOLS: readonly SandboxProtocol[] = ['atxp', 'x402', 'mpp'];

/** Why a call is refused, with the HTTP status a settle answers it with. */
export interface Problem {
  readonly status: 400 | 402 | 409 | 422;
  readonly code: string;
  readonly message: string;
}

/** What a settle or verify body asks for, as the auth server understands it; amounts are atomic USDC (6 decimals). */
export interface Claim {
  readonly protocol: SandboxProtocol;
  /** Idempotency key: the payment request id when there is one, else the credential's own identity. */
  readonly key: string;
  /** What the network beneath lets move only once, whatever key it comes under; null: an account token may be used again. */
  readonly once: string | null;
  readonly payer: string;
  /** Whether the payer is known and not only stated: then verify names them. */
  readonly confirmed: boolean;
  readonly network: string;
  /** What a settle moves. */
  readonly amount: bigint;
  /** What the payer authorised at most. */
  readonly cap: bigint;
  readonly validAfterMs: number | null;
  /** A settle after this moment is refused; null: it never ends. */
  readonly collectableUntilMs: number | null;
  /** A verify after this moment is refused. */
  readonly validUntilMs: number | null;
  /** MPP sessions: the channel and how much it has been vouched for in total. */
  readonly channel: { readonly id: string; readonly cumulative: bigint } | null;
  /** MPP sessions: it takes nothing, but has its channel's deposit grow, or the channel closed. */
  readonly manages: 'topUp' | 'close' | null;
  /** Bytes for an EIP-712 check; null where there is nothing the sandbox can check. */
  readonly typedData: TypedData | null;
  readonly echo: Readonly<Record<string, string>>;
}

export interface TypedData {
  readonly domain: { name: string; version: string; chainId: number; verifyingContract: `0x${string}` };
  readonly authorization: Readonly<Record<string, string>>;
  readonly signature: `0x${string}`;
}

/** `key` is known even where the rest is wrong, so that every call is counted under its key. */
export type Reading =
  | { readonly key: string; readonly claim: Claim }
  | { readonly key: string | null; readonly problem: Problem };

export const malformed = (message: string): Problem => ({ status: 400, code: 'invalid_request', message });
