import { decodePaymentSignatureHeader } from '@x402/core/http';
import { PaymentPayloadV1Schema, PaymentPayloadV2Schema, PaymentRequirementsV2Schema } from '@x402/core/schemas';
import { Challenge, Credential } from 'mppx';
import { Methods, Session } from 'mppx/tempo';
import { describe, expect, it } from 'vitest';
import type { JsonLayout } from '../../sandbox/payer/credential.js';
import { mppCredential } from '../../sandbox/payer/mpp.js';
import { x402Credential } from '../../sandbox/payer/x402.js';
import { alice, challenge, exactAccept, NOW, uptoAccept } from '../support/sandbox-bodies.js';

// The schemas and codecs of npm @x402/core and mppx are the independent source: nothing of ours wrote them.

const layouts: readonly JsonLayout[] = ['plain', 'reversed', 'spaced'];
const decoded = (header: string | undefined) => JSON.parse(Buffer.from(header ?? '', 'base64').toString()) as unknown;

describe('an x402 credential of the paying client', () => {
  it.each([
    ['exact', exactAccept],
    ['upto', uptoAccept],
  ])('v2 %s is a payment payload of @x402/core, in every layout', async (_scheme, accept) => {
    PaymentRequirementsV2Schema.parse(accept);
    for (const layout of layouts) {
      const { headers, content } = await x402Credential({ account: alice, accept, nowMs: NOW, layout });
      const payload = decodePaymentSignatureHeader(headers['PAYMENT-SIGNATURE'] ?? '');
      expect(PaymentPayloadV2Schema.parse(payload)).toEqual(content);
      expect(payload.accepted).toEqual(accept);
    }
  });

  it('v1 exact is a v1 payment payload and names its network as v1 does', async () => {
    const { headers } = await x402Credential({ account: alice, accept: exactAccept, version: 1, nowMs: NOW });
    expect(PaymentPayloadV1Schema.parse(decoded(headers['X-PAYMENT']))).toMatchObject({
      network: 'base-sepolia',
      scheme: 'exact',
    });
  });
});

describe('an MPP credential of the paying client', () => {
  it.each(['charge', 'session'] as const)('of intent %s reads in mppx as made, in every layout', async (intent) => {
    const asked = challenge(intent);
    for (const layout of layouts) {
      const { headers } = await mppCredential({ account: alice, challenge: asked, layout });
      const read = Credential.deserialize(headers.Authorization ?? '');
      const secretKey = 'a secret of at least thirty-two characters';
      expect(Challenge.verify(read.challenge, { secretKey })).toBe(true);
      expect(read.challenge.request).toEqual(asked.request);
      expect(read.source).toBe(`did:pkh:eip155:42431:${alice.wallet.address}`);
      const { payload } = { charge: Methods.charge, session: Methods.session }[intent].schema.credential;
      expect(payload.safeParse(read.payload)).toMatchObject({ success: true, data: read.payload });
    }
  });

  it('of a session carries a voucher that mppx takes for the payer’s, and for nobody else’s', async () => {
    const channelId = `0x${'0d'.repeat(32)}` as const;
    const { content } = await mppCredential({ account: alice, challenge: challenge('session'), channelId });
    const payload = content.payload as { channelId: `0x${string}`; cumulativeAmount: string; signature: `0x${string}` };
    const { Voucher } = Session.Precompile;
    const takes = (signer: `0x${string}`, cumulativeAmount = payload.cumulativeAmount) =>
      Voucher.verifyVoucher(
        '0x4d50500000000000000000000000000000000000',
        42431,
        Voucher.parseVoucherFromPayload(payload.channelId, cumulativeAmount, payload.signature),
        signer,
      );
    expect(takes(alice.wallet.address)).toBe(true);
    expect(takes('0x0000000000000000000000000000000000000001')).toBe(false);
    expect(takes(alice.wallet.address, '10001')).toBe(false);
  });
});
