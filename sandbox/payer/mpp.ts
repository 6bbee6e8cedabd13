import { type Challenge, Credential } from 'mppx';
import { bytesToHex, type Hex, keccak256, toBytes } from 'viem';
import type { PayerAccount } from './account.js';
import { encodeJson, type JsonLayout, type PaymentCredential } from './credential.js';

export interface MppCredentialOptions {
  readonly account: PayerAccount;
  /** A `charge` or `session` challenge of the 402, as mppx decodes it. */
  readonly challenge: Challenge.Challenge;
  /** Session: the channel paid from; a new one by default, so that the voucher starts at zero. */
  readonly channelId?: Hex;
  /** Session: vouched for in total, atomic; default: what the challenge asks for one request. */
  readonly cumulativeAmount?: string;
  readonly layout?: JsonLayout;
}

const CANONICAL_ESCROW = '0x4d50500000000000000000000000000000000000';

/** `Authorization: Payment …` in the codec of mppx: a charge pays its challenge once, a session signs a voucher. */
export async function mppCredential(given: MppCredentialOptions): Promise<PaymentCredential> {
  const { account, challenge } = given;
  const details = detailsOf(challenge.request.methodDetails);
  const payload = challenge.intent === 'session' ? await voucher(given, details) : await transaction(given);
  const credential = Credential.from({
    challenge,
    payload,
    source: `did:pkh:eip155:${details.chainId}:${account.wallet.address}`,
  });
  const [scheme = 'Payment', wire = ''] = Credential.serialize(credential).split(' ');
  const content = JSON.parse(Buffer.from(wire, 'base64url').toString('utf8')) as Record<string, unknown>;
  const value = Buffer.from(encodeJson(content, given.layout)).toString('base64url');
  return { content, headers: { Authorization: `${scheme} ${value}` } };
}

interface Details {
  readonly chainId: number;
  readonly escrow: Hex;
}

function detailsOf(methodDetails: unknown): Details {
  const { chainId, escrowContract } = (methodDetails ?? {}) as { chainId?: number; escrowContract?: Hex };
  return { chainId: chainId ?? 42431, escrow: escrowContract ?? CANONICAL_ESCROW };
}

/** Stands for a signed transfer that the auth server would broadcast; the sandbox has no chain to check it on. */
async function transaction({ account, challenge }: MppCredentialOptions): Promise<Record<string, unknown>> {
  const signature = await account.wallet.sign({ hash: keccak256(toBytes(challenge.id)) });
  return { type: 'transaction', signature: `0x76${signature.slice(2)}` };
}

async function voucher(given: MppCredentialOptions, { chainId, escrow }: Details): Promise<Record<string, unknown>> {
  const channelId = given.channelId ?? bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  const cumulativeAmount = given.cumulativeAmount ?? String(given.challenge.request.amount);
  const signature = await given.account.wallet.signTypedData({
    domain: { name: 'TIP20 Channel Reserve', version: '1', chainId, verifyingContract: escrow },
    types: {
      Voucher: [
        { name: 'channelId', type: 'bytes32' },
        { name: 'cumulativeAmount', type: 'uint96' },
      ],
    },
    primaryType: 'Voucher',
    message: { channelId, cumulativeAmount: BigInt(cumulativeAmount) },
  });
  return { action: 'voucher', channelId, cumulativeAmount, signature };
}
