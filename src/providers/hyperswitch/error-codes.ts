/**
 * What one of Hyperswitch's error codes means for the call that got it.
 *
 * - `refused`: a no; nothing was created.
 * - `duplicate`: the id exists already, from an earlier attempt of ours or from somebody else: reading tells.
 * - `missing`: the object that the call names does not exist.
 * - `misdirected`: wrong key, wrong address, or a key without the right.
 * - `undecided`: an error inside Hyperswitch or passed on from the payment processor behind it.
 */
export type ErrorMeaning = 'refused' | 'duplicate' | 'missing' | 'misdirected' | 'undecided';

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type InvalidRequest = `IR_${'0' | '1' | '2' | '3'}${Digit}` | 'IR_40' | 'IR_41';
type HyperswitchError = `HE_0${'0' | '1' | '2' | '3' | '4' | '5'}`;
type ConnectorError = `CE_0${Exclude<Digit, '9'>}`;
type WebhookError = `WE_0${'1' | '2' | '3' | '4' | '5' | '6'}`;
export type HyperswitchCode = HyperswitchError | ConnectorError | InvalidRequest | WebhookError | 'IE_00';

/** juspay/hyperswitch, crates/hyperswitch_domain_models/src/errors/api_error_response.rs: a new code does not compile until it has a meaning. */
const MEANINGS: Readonly<Record<HyperswitchCode, ErrorMeaning>> = {
  // Its processor's own error: the refund may stand in Hyperswitch's books all the same, and a repeat will show it.
  CE_00: 'undecided',
  CE_01: 'refused',
  CE_02: 'refused',
  CE_03: 'refused',
  CE_04: 'refused',
  CE_05: 'refused',
  CE_06: 'refused',
  CE_07: 'refused',
  CE_08: 'refused',
  HE_00: 'undecided',
  HE_01: 'duplicate',
  HE_02: 'missing',
  HE_03: 'refused',
  HE_04: 'refused',
  HE_05: 'undecided',
  IE_00: 'undecided',
  IR_00: 'refused',
  IR_01: 'misdirected',
  IR_02: 'misdirected',
  IR_03: 'misdirected',
  IR_04: 'refused',
  IR_05: 'refused',
  IR_06: 'refused',
  IR_07: 'refused',
  IR_08: 'refused',
  IR_09: 'refused',
  IR_10: 'refused',
  IR_11: 'refused',
  IR_12: 'refused',
  IR_13: 'refused',
  IR_14: 'refused',
  IR_15: 'refused',
  IR_16: 'refused',
  IR_17: 'misdirected',
  IR_18: 'misdirected',
  IR_19: 'refused',
  IR_20: 'refused',
  IR_21: 'refused',
  IR_22: 'misdirected',
  IR_23: 'refused',
  IR_24: 'refused',
  IR_25: 'refused',
  IR_26: 'misdirected',
  IR_27: 'refused',
  IR_28: 'refused',
  IR_29: 'refused',
  IR_30: 'refused',
  IR_31: 'refused',
  IR_32: 'refused',
  IR_33: 'refused',
  IR_34: 'refused',
  IR_35: 'refused',
  IR_36: 'refused',
  IR_37: 'refused',
  IR_38: 'refused',
  IR_39: 'refused',
  IR_40: 'refused',
  IR_41: 'refused',
  WE_01: 'refused',
  WE_02: 'refused',
  WE_03: 'refused',
  WE_04: 'refused',
  WE_05: 'refused',
  WE_06: 'refused',
};

/** Undefined: a code of a later Hyperswitch. It counts as a refusal that a person looks at, never as a reason to repeat. */
export const meaningOf = (code: string): ErrorMeaning | undefined =>
  Object.hasOwn(MEANINGS, code) ? MEANINGS[code as HyperswitchCode] : undefined;

/** A missing account, profile or key says nothing about the payment or refund that was asked for. */
const OF_THE_ACCOUNT = /\b(?:merchant|business profile|profile|api key|organization|tenant)\b/i;

/** HE_02 stands for every kind of object: only its words tell which one is missing. */
export const isOfTheAccount = (words: string): boolean => OF_THE_ACCOUNT.test(words);

/** The third is what Hyperswitch really answers where its own code says the first. */
const LOCKED = /resource is busy|access to this object is restricted|there was an issue processing the webhook body/i;

/** Another call holds the lock on this object; this one did nothing. */
export const saysLocked = (words: string): boolean => LOCKED.test(words);
