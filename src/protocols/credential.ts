import type { JsonObject } from '../domain/json.js';
import type { AtomicAmount } from '../domain/money.js';
import type { Protocol } from '../domain/settlements/settlement-status.js';

/**
 * What the settle body is built from beside the credential; stored in clear with the settlement, so it holds no secret.
 * The names are those of the ATXP SDK's `SettlementContext`.
 */
export interface SettlementContext {
  /** x402: the one accept that the credential answers, exactly as we offered it. */
  readonly paymentRequirements?: JsonObject;
  /** ATXP: the options that we offered; `amount` is decimal. */
  readonly options?: readonly JsonObject[];
  readonly paymentRequestId?: string;
  readonly sourceAccountId?: string;
  readonly destinationAccountId?: string;
}

/** How a credential may be charged. */
export type Scheme = 'atxp' | 'exact' | 'upto' | 'charge' | 'session';

/** By what a payer is known whom the auth server does not name. */
export interface OwnPart {
  readonly name: string;
  /** True where a signature names the payer, or a deposit stands behind the payment: then there may be credit. */
  readonly good: boolean;
}

/** A credential as its own content states it; nothing in here has been verified by anyone. */
export interface DecodedCredential {
  readonly protocol: Protocol;
  readonly scheme: Scheme;
  /** 1 or 2 for x402; undefined elsewhere. */
  readonly version?: 1 | 2;
  /**
   * Canonical, from decoded content, so that spaces, key order, header version or a new request id do not make a
   * "new" credential.
   */
  readonly identity: string;
  /** False: all or nothing, the first charge takes the cap (x402 `exact`, MPP charge). */
  readonly metered: boolean;
  /** True for an MPP session, which is closed at the auth server even when nothing was spent. */
  readonly closesAtZero: boolean;
  /** What it authorises at most, in atomic units; null where it does not say. */
  readonly cap: AtomicAmount | null;
  /** The account that it states. A statement: nobody is held to it until verify, or a signature, says the same. */
  readonly account: string | null;
  /** The part of it that stays the same from one payment to the next, where nobody else can have it. */
  readonly own: OwnPart | null;
  /** The voucher of a channel that the auth server settles, which is cumulative. */
  readonly voucher: { readonly channel: string; readonly cumulative: AtomicAmount } | null;
  /** It buys nothing: it adds to the deposit of its channel, or has it closed. */
  readonly manages?: 'topUp' | 'close';
  /** The channel that it manages. */
  readonly channel?: string;
  /** When it stops being collectable (x402 validBefore or deadline, MPP challenge expiry), Unix ms; null: it does not say. */
  readonly expiresAtMs: number | null;
  /** network, asset, from, nonce, …: public facts by which a person can look the payment up. */
  readonly lookup: Readonly<Record<string, string>>;
  /** The decoded JSON, to compare with an offer and to build the body from. */
  readonly content: JsonObject;
}

/** Why a credential cannot be used. The text never quotes the credential. */
export type Undecodable = { readonly undecodable: string };
export const isUndecodable = (value: DecodedCredential | Undecodable): value is Undecodable => 'undecodable' in value;
