/** Why a channel credential pays for nothing: the problem types of the Payment authentication scheme. */
export const CHANNEL_PROBLEMS = [
  'payment-required',
  'malformed-credential',
  'invalid-challenge',
  'payment-expired',
  'invalid-payload',
  'verification-failed',
  'session/insufficient-balance',
  'session/invalid-signature',
  'session/signer-mismatch',
  'session/amount-exceeds-deposit',
  'session/delta-too-small',
  'session/voucher-used',
  'session/close-unproven',
  'session/channel-not-found',
  'session/channel-finalized',
] as const;
export type ChannelProblem = (typeof CHANNEL_PROBLEMS)[number];

export interface ChannelRefusal {
  readonly problem: ChannelProblem;
  /** What is wrong, in words of our own or of npm mppx; never the credential. */
  readonly detail: string;
}

/** 410: the channel pays for nothing any more, so a client must forget it; 402: another voucher may do. */
export const PROBLEM_STATUS: Readonly<Record<ChannelProblem, 402 | 410>> = {
  'payment-required': 402,
  'malformed-credential': 402,
  'invalid-challenge': 402,
  'payment-expired': 402,
  'invalid-payload': 402,
  'verification-failed': 402,
  'session/insufficient-balance': 402,
  'session/invalid-signature': 402,
  'session/signer-mismatch': 402,
  'session/amount-exceeds-deposit': 402,
  'session/delta-too-small': 402,
  'session/voucher-used': 402,
  'session/close-unproven': 402,
  'session/channel-not-found': 410,
  'session/channel-finalized': 410,
};

export const problemType = (problem: ChannelProblem): string => `https://paymentauth.org/problems/${problem}`;
