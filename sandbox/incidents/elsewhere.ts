import { createHmac, randomUUID } from 'node:crypto';
import { AT_ONCE } from '../demo/shop.js';
import { SANDBOX_HYPERSWITCH_WEBHOOK_SECRET } from '../hyperswitch/defaults.js';
import type { Incident } from './incident.js';
import { come, type IncidentWorld, newSeller } from './world.js';

type Elsewhere = Incident<IncidentWorld>;

/** Longer than it takes to kill the caller, and shorter than the caller waits. */
const AT_WORK_MS = 3_000;

/** The only worker is killed while the auth server takes the money for a response. */
export const DEAD_WORKER: Elsewhere = {
  name: 'dead-worker',
  says: 'the only worker was killed in the middle of a charge, which the auth server took all the same',
  async plant(world) {
    const worker = world.stack.child('worker');
    if (worker.pid() === undefined) await worker.start();
    const settles = async () =>
      (await world.authServer<{ totals: { settleCalls: number } }>('calls')).totals.settleCalls;
    const before = await settles();
    const slow = { kinds: ['slow'], protocols: ['atxp'], ms: AT_WORK_MS, times: 1 };
    await world.authServer('faults', { method: 'PUT', body: { rules: [slow] } });
    const served = await fetch(`${world.stack.endpoints.server}/demo/fixed`, {
      headers: { 'X-ATXP-PAYMENT': `coin-${randomUUID()}` },
    });
    if (served.status !== 200) throw new Error(`/demo/fixed answered ${served.status}: ${await served.text()}`);
    await come('the charge is under way', async () => (await settles()) > before);
    await worker.kill();
    const { items } = await world.read<{ items: readonly { id: string }[] }>('settlements?protocol=atxp&limit=1');
    const id = items[0]?.id ?? '';
    return { names: { id }, page: `/item/settlement/${id}` };
  },
};

/** Whoever has stolen the secret tells of a refund that the bank has not made; whoever guesses it is turned away. */
export const FORGED_HINT: Elsewhere = {
  name: 'forged-hint',
  says: 'somebody who knows the signing secret told us of a refund that has not happened',
  async plant(world) {
    const order = await world.paid(newSeller());
    await world.hyperswitch('auto', { method: 'PUT', body: { pay: AT_ONCE.pay } });
    const { id } = await world.shop.refund(order.id, {}, randomUUID());
    await world.hyperswitch('auto', { method: 'PUT', body: AT_ONCE });
    const { hyperswitch_refund_id: at } = await world.read<{ hyperswitch_refund_id: string }>(`refunds/${id}`);
    for (const [secret, status] of [
      ['a guess', 400],
      [SANDBOX_HYPERSWITCH_WEBHOOK_SECRET, 200],
    ] as const) {
      const answered = await tell(`${world.stack.endpoints.server}/webhooks/hyperswitch`, lieOf(at), secret);
      if (answered !== status) throw new Error(`a forged event was answered ${answered}, not ${status}`);
    }
    await come('the event is done with', async () => {
      const path = `webhooks?object_id=${at}&status=processed`;
      return (await world.read<{ items: readonly object[] }>(path)).items.length > 0;
    });
    return { names: { refund: id, hyperswitch: at }, page: `/item/refund/${id}` };
  },
};

const lieOf = (refund: string): string =>
  JSON.stringify({
    merchant_id: 'merchant_sandbox',
    event_id: `evt_${randomUUID()}`,
    event_type: 'refund_succeeded',
    content: { type: 'refund_details', object: { refund_id: refund, status: 'succeeded' } },
    timestamp: new Date().toISOString(),
  });

async function tell(url: string, body: string, secret: string): Promise<number> {
  const signature = createHmac('sha512', secret).update(body).digest('hex');
  const headers = { 'Content-Type': 'application/json', 'X-Webhook-Signature-512': signature };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}
