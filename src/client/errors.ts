/** Everything this client refuses or cannot know. A code is a promise to callers: texts may change, codes may not. */
const SESSION_PAYMENT_CODES = [
  'invalid_option',
  'challenge_malformed',
  'challenge_expired',
  'unsupported_session',
  'wrong_chain',
  'escrow_unknown',
  'insecure_target',
  'redirect_refused',
  'body_not_replayable',
  'over_max_deposit',
  'hint_unprovable',
  'open_refused',
  'open_undecided',
  'top_up_failed',
  'top_up_undecided',
  'channel_gone',
  'channel_unrecoverable',
  'chain_unreachable',
  'signing_failed',
  'store_failed',
  'store_mismatch',
  'close_failed',
] as const;

export type SessionPaymentCode = (typeof SESSION_PAYMENT_CODES)[number];

const NOTHING = 'Nothing was signed by this request.';
const BOUNDED = 'What was signed before is on record and bounds what the payee can take.';

/** What each code means for the payer's money, and what to do about it. */
const EXPLAINED: Readonly<Record<SessionPaymentCode, { readonly money: string; readonly todo: string }>> = {
  invalid_option: { money: 'Nothing can be paid with it.', todo: 'Correct the option of createSessionFetch.' },
  challenge_malformed: { money: NOTHING, todo: 'Report it to whoever runs the server: no client can pay this.' },
  challenge_expired: { money: NOTHING, todo: 'Compare the clocks of this machine and of the server.' },
  unsupported_session: { money: NOTHING, todo: 'Pay with a client of that protocol version; this one speaks v2.' },
  wrong_chain: { money: NOTHING, todo: 'Let getClient return a client of that chain, if you mean to pay there.' },
  escrow_unknown: { money: NOTHING, todo: 'Do not pay: deposits are only safe in the escrow of the protocol.' },
  insecure_target: { money: NOTHING, todo: 'Use https; plain http is paid only on this machine.' },
  redirect_refused: { money: NOTHING, todo: 'Call the address that asks for payment itself.' },
  body_not_replayable: {
    money: NOTHING,
    todo: 'Pass the body as text, bytes, a form or a Request, so that it can be sent again with the payment.',
  },
  over_max_deposit: {
    money: NOTHING,
    todo: 'Raise maxDeposit if this server is worth it, or close its channels: by close(url), or on chain as their payer.',
  },
  hint_unprovable: {
    money: BOUNDED,
    todo: 'Try again; give each process an account, and so a channel, of its own; or use the channel store that signed last.',
  },
  open_refused: {
    money: 'If the deposit did land, the channel is found on chain by the next request and used.',
    todo: 'Read why the server refused it, then try again.',
  },
  open_undecided: {
    money: 'One deposit at most is on its way; no second one is made while it could still land.',
    todo: 'Wait as long as is said, then try again.',
  },
  top_up_failed: {
    money: 'If the deposit did land, the next request reads it on chain; it is never above maxDeposit.',
    todo: 'Read why the server refused it, then try again.',
  },
  top_up_undecided: {
    money: 'One top-up at most is on its way; no second one is made while it could still land.',
    todo: 'Wait as long as is said, then try again.',
  },
  channel_gone: {
    money:
      'A deposit that is still in a channel counts against maxDeposit, and can be taken back on chain by its payer.',
    todo: 'Ask whoever runs the server why it knows none of its channels.',
  },
  channel_unrecoverable: { money: NOTHING, todo: 'Use a node that serves logs, or the channel store that opened it.' },
  chain_unreachable: { money: NOTHING, todo: 'Try again when the node answers; no new channel is opened blindly.' },
  signing_failed: { money: NOTHING, todo: 'Read the cause: the account or the wallet refused to sign.' },
  store_failed: { money: 'No voucher leaves before it is on record.', todo: 'Mend the channel store, then try again.' },
  store_mismatch: { money: NOTHING, todo: 'Give each account a channel store of its own, or remove that entry.' },
  close_failed: { money: BOUNDED, todo: 'Try again, or request the close on chain as its payer.' },
};

/** The message says what happened, what it means for the money and what to do. It quotes no signature. */
export class SessionPaymentError extends Error {
  override readonly name = 'SessionPaymentError';
  readonly code: SessionPaymentCode;

  constructor(code: SessionPaymentCode, happened: string, options?: ErrorOptions) {
    const { money, todo } = EXPLAINED[code];
    super(`${happened}. ${money} ${todo}`, options);
    this.code = code;
  }
}

/** Runs one step and gives what it throws a code; errors that have one already stay as they are. */
export async function explaining<T>(code: SessionPaymentCode, happened: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof SessionPaymentError) throw error;
    throw new SessionPaymentError(code, happened, { cause: error });
  }
}
