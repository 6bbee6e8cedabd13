import { Challenge, Credential } from 'mppx';
import { createChannelStore, Fetch, tempo } from 'mppx/client';
import type { Hex } from 'viem';
import { receiptOf } from './channel-shop.js';
import { type ChainClient, chainClient, type Descriptor, newAccount, signVoucher } from './tempo-chain.js';

/** Everything of a credential that a test may want to change before it is sent. */
export interface CredentialParts {
  challenge: Challenge.Challenge;
  payload: Record<string, unknown>;
  source: string;
}

export interface OpenedPayer {
  readonly channelId: Hex;
  readonly address: Hex;
  readonly client: ChainClient;
  readonly descriptor: Descriptor;
  /** The credential that opened the channel, as it was sent. */
  readonly opening: string;
  /** A challenge of this URL, with the header that names the channel. */
  challenge(url: string, init?: RequestInit): Promise<Challenge.Challenge>;
  parts(challenge: Challenge.Challenge, cumulative: bigint, action?: 'voucher' | 'close'): Promise<CredentialParts>;
  voucher(challenge: Challenge.Challenge, cumulative: bigint, action?: 'voucher' | 'close'): Promise<string>;
  /** Pays with the voucher of this cumulative amount, on one challenge of the URL. */
  pay(url: string, cumulative: bigint, init?: RequestInit): Promise<Response>;
}

const serialized = (parts: CredentialParts): string => Credential.serialize(parts);

const withHeader = (init: RequestInit | undefined, name: string, value: string): RequestInit => {
  const headers = new Headers(init?.headers);
  headers.set(name, value);
  return { ...init, headers };
};

export const paying = (url: string, credential: string, init?: RequestInit): Promise<Response> =>
  fetch(url, withHeader(init, 'authorization', credential));

export const sessionChallenge = (response: Response): Challenge.Challenge => {
  const found = Challenge.fromResponseList(response).find(({ intent }) => intent === 'session');
  if (!found) throw new Error(`the ${response.status} has no session challenge`);
  return found;
};

/** Opens a channel at `url` with the unmodified client, and then signs by hand whatever a test wants. */
export async function openPayer(chainUrl: string, url: string, init?: RequestInit): Promise<OpenedPayer> {
  const account = newAccount();
  const client = chainClient(chainUrl, account);
  let opening = '';
  const paid = Fetch.from({
    fetch: (input, request) => {
      opening = new Headers(request?.headers).get('authorization') ?? opening;
      return fetch(input, request);
    },
    methods: [
      tempo.session({ account, getClient: () => client, maxDeposit: '100', channelStore: createChannelStore() }),
    ],
  });
  const first = await paid(url, init);
  if (!first.ok) throw new Error(`the channel could not be opened: ${first.status} ${await first.text()}`);
  const channelId = receiptOf(first).channelId as string as Hex;
  const { descriptor } = Credential.deserialize<{ descriptor: Descriptor }>(opening).payload;
  const source = `did:pkh:eip155:${client.chain.id}:${account.address}`;

  const parts: OpenedPayer['parts'] = async (challenge, cumulative, action = 'voucher') => ({
    challenge,
    payload: {
      action,
      channelId,
      descriptor,
      cumulativeAmount: cumulative.toString(),
      signature: await signVoucher(client, channelId, cumulative),
    },
    source,
  });
  const voucher: OpenedPayer['voucher'] = async (challenge, cumulative, action) =>
    serialized(await parts(challenge, cumulative, action));
  const challenge: OpenedPayer['challenge'] = async (at, request) =>
    sessionChallenge(await fetch(at, withHeader(request, 'payment-session', channelId)));
  return {
    channelId,
    address: account.address,
    client,
    descriptor,
    opening,
    challenge,
    parts,
    voucher,
    pay: async (at, cumulative, request) =>
      paying(at, await voucher(await challenge(at, request), cumulative), request),
  };
}

/**
 * The credential that the unmodified client makes for an action (`open`, `topUp`), as it would be sent: every request
 * before it goes out, it does not.
 */
export async function credentialOf(chainUrl: string, url: string, action: 'open' | 'topUp'): Promise<string> {
  const account = newAccount();
  const caught: string[] = [];
  const client = Fetch.from({
    fetch: (input, request) => {
      const credential = new Headers(request?.headers).get('authorization');
      if (credential !== null && Credential.deserialize<{ action: string }>(credential).payload.action === action) {
        caught.push(credential);
        return Promise.reject(new Error('caught'));
      }
      return fetch(input, request);
    },
    methods: [
      tempo.session({
        account,
        getClient: () => chainClient(chainUrl, account),
        maxDeposit: '100',
        channelStore: createChannelStore(),
      }),
    ],
  });
  for (let n = 0; n < 3 && caught.length === 0; n += 1) await client(url).catch(() => undefined);
  const [first] = caught;
  if (first === undefined) throw new Error(`the client made no ${action}`);
  return first;
}
