import { type Hex, toFunctionSelector } from 'viem';

/** Errors of the precompile's ABI, and two of the token's, as this stand-in raises them. */
const SIGNATURES = {
  ChannelAlreadyExists: 'ChannelAlreadyExists()',
  ChannelNotFound: 'ChannelNotFound()',
  NotPayer: 'NotPayer()',
  NotPayeeOrOperator: 'NotPayeeOrOperator()',
  InvalidPayee: 'InvalidPayee()',
  ZeroDeposit: 'ZeroDeposit()',
  InvalidSignature: 'InvalidSignature()',
  AmountExceedsDeposit: 'AmountExceedsDeposit()',
  AmountNotIncreasing: 'AmountNotIncreasing()',
  CaptureAmountInvalid: 'CaptureAmountInvalid()',
  CloseNotReady: 'CloseNotReady()',
  DepositOverflow: 'DepositOverflow()',
  InsufficientBalance: 'InsufficientBalance(uint256,uint256,address)',
  UnknownFunctionSelector: 'UnknownFunctionSelector(bytes4)',
} as const;
export type RevertReason = keyof typeof SIGNATURES;

/** The chain carried the call out and undid it: a receipt with status 0x0, or the answer to a simulation. */
export class Reverted extends Error {
  readonly reason: RevertReason;

  constructor(reason: RevertReason) {
    super(`execution reverted: ${SIGNATURES[reason]}`);
    this.name = 'Reverted';
    this.reason = reason;
  }

  /** What a node sends along; arguments are left zero. */
  get data(): Hex {
    const signature = SIGNATURES[this.reason];
    const words = signature.endsWith('()') ? 0 : signature.split(',').length;
    return `${toFunctionSelector(signature)}${'0'.repeat(64 * words)}`;
  }
}
