import { type Claim, malformed, type Problem, type Reading } from './claim.js';
import { type Fields, fieldsOf, overriddenAmount, sha256, textOf, usdcOf, wholeOf } from './fields.js';

/**
 * `{credential: {challenge, payload, source}, settlementOverrides?, paymentRequestId?, …}`. `challenge.request` is the
 * base64url JSON of the wire or the object in it; its amount is atomic, or decimal where it has a point.
 */
export function readMpp(body: Fields): Reading {
  const requestId = textOf(body.paymentRequestId);
  const credential = fieldsOf(body.credential);
  const challenge = fieldsOf(credential.challenge);
  const payload = fieldsOf(credential.payload);
  const request = requestOf(challenge.request);
  const id = textOf(challenge.id);
  const cap = wholeOf(request.amount) ?? usdcOf(request.amount);
  if (id === undefined || cap === undefined) {
    return {
      key: requestId ? `request:${requestId}` : null,
      problem: malformed('credential.challenge has no id, or its request states no amount'),
    };
  }
  const channel = channelOf(challenge, payload);
  if (channel === undefined) {
    const problem = malformed('the session payload has neither a voucher nor a top-up transaction');
    return { key: requestId ? `request:${requestId}` : null, problem };
  }
  const manages = (['topUp', 'close'] as const).find((action) => action === payload.action) ?? null;
  const once = onceOf(id, channel, { manages, payload });
  const key = requestId === undefined ? once : `request:${requestId}`;
  const amount = amountOf(body, channel, cap);
  if (typeof amount !== 'bigint') return { key, problem: amount };
  const details = fieldsOf(request.methodDetails);
  const expires = textOf(challenge.expires);
  const expiresMs = expires === undefined ? null : Date.parse(expires);
  const claim: Claim = {
    protocol: 'mpp',
    key,
    once,
    payer: payerOf(credential, id),
    confirmed: false,
    network: `${textOf(challenge.method) ?? 'unknown'}:${wholeOf(details.chainId) ?? ''}`,
    amount,
    cap: channel === null ? cap : channel.cumulative,
    validAfterMs: null,
    // A channel can be closed after its last challenge has ended; a charge cannot.
    collectableUntilMs: channel === null ? expiresMs : null,
    validUntilMs: expiresMs,
    channel,
    manages: channel === null ? null : manages,
    typedData: null,
    echo: {},
  };
  return { key, claim };
}

function requestOf(request: unknown): Fields {
  if (typeof request !== 'string') return fieldsOf(request);
  try {
    return fieldsOf(JSON.parse(Buffer.from(request, 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}

/** null: a charge, which has no channel. undefined: a session whose voucher cannot be read. */
function channelOf(challenge: Fields, payload: Fields): Claim['channel'] | undefined {
  if (challenge.intent !== 'session' && payload.descriptor === undefined) return null;
  const id = textOf(payload.channelId)?.toLowerCase();
  // A top-up vouches for nothing.
  const isTopUp = payload.action === 'topUp' && /^0x[0-9a-f]{2,}$/i.test(textOf(payload.transaction) ?? '');
  const cumulative = isTopUp ? 0n : wholeOf(payload.cumulativeAmount);
  return id === undefined || cumulative === undefined ? undefined : { id, cumulative };
}

/** A close bears a voucher that may have been settled; it is a thing of its own. */
function onceOf(
  challengeId: string,
  channel: Claim['channel'],
  { manages, payload }: { manages: Claim['manages']; payload: Fields },
): string {
  if (channel === null) return `mpp:${challengeId}`;
  if (manages === 'topUp') return `mpp:channel:${channel.id}:topUp:${sha256(textOf(payload.transaction) ?? '')}`;
  return `mpp:channel:${channel.id}:${channel.cumulative}${manages === 'close' ? ':close' : ''}`;
}

function amountOf(body: Fields, channel: Claim['channel'], cap: bigint): bigint | Problem {
  if (body.settlementOverrides === undefined) return channel === null ? cap : channel.cumulative;
  if (channel === null) {
    return {
      status: 400,
      code: 'override_not_allowed',
      message: 'a charge settles the challenged amount: settlementOverrides is refused',
    };
  }
  return overriddenAmount(body, channel.cumulative, 'the voucher');
}

/** `did:pkh:eip155:<chain>:<address>`: the address, so that one wallet is one account for x402 and MPP alike. */
function payerOf(credential: Fields, challengeId: string): string {
  const source = textOf(credential.source);
  return source === undefined ? `mpp:${challengeId}` : (source.split(':').at(-1) ?? source).toLowerCase();
}
