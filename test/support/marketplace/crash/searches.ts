import type { FaultRule } from '../../../../sandbox/stripe/faults.js';
import type { OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { disputed, namesOf, opened, paymentOf, reached, seen } from './disputed-orders.js';
import { given, type Story } from './story.js';
import type { MarketplaceCrashWorld } from './world.js';

const UNREAD: FaultRule = { kinds: ['unavailable'], on: ['disputes.read'] };

/** Whoever took the payment may have died with it, and the next one as well: it comes round again and again. */
const searchedUntilFound = (world: MarketplaceCrashWorld, order: OrderId) =>
  until(
    'its dispute is found',
    async () => {
      const found = await world.test.database.query('SELECT 1 FROM disputes WHERE order_id = $1', [order]);
      if (found.length > 0) return true;
      await world.passRounds(order);
      return false;
    },
    { limitMs: 600_000, everyMs: 2_000 },
  );

/** Disputes and refunds that Hyperswitch does not tell of, or that Stripe's record does not show. */
export const SEARCHES: readonly Story[] = [
  {
    what: 'a dispute that nobody tells of',
    path: [
      'ledger.duePaymentSearches',
      'hyperswitch.disputesOf',
      'stripe.disputesOf',
      'ledger.seeDispute',
      'ledger.paymentSearched',
    ],
    sent: true,
    inSweep: true,
    ending: 'disputed',
    async tell(scene) {
      const { world } = scene;
      const { id: order } = given(scene);
      const names = await opened(scene, order);
      await scene.die(...namesOf(names));
      await world.passRounds(order);
      const found = async () => {
        await searchedUntilFound(world, order);
        await reached(world, order, 'reversed');
      };
      return { order, rest: found() };
    },
  },
  {
    what: 'a dispute that Stripe tells of before Hyperswitch',
    path: ['ledger.seeDispute', 'ledger.finishWebhook', 'ledger.noteDispute', 'ledger.applyDispute#3'],
    sent: true,
    inSweep: true,
    ending: 'disputed',
    async tell(scene) {
      const { world } = scene;
      const { id: order } = given(scene);
      const names = await opened(scene, order, { events: [] });
      await scene.die(...namesOf(names));
      const { atStripe, intent } = names;
      const type = 'charge.dispute.created';
      await world.tell({ provider: 'stripe', type, objectId: atStripe, parentId: intent }, 'sweep');
      const named = async () => {
        const { id } = await seen(world, order, () => true);
        await world.hyperswitch.changeDispute(names.dispute, { events: [type, 'charge.dispute.funds_withdrawn'] });
        world.wake([{ kind: 'dispute', id }]);
        await seen(world, order, ({ named_by }) => named_by !== null);
      };
      return { order, mend: () => world.passRounds(order), rest: named() };
    },
  },
  {
    what: 'a refund at Stripe that Hyperswitch names when it is asked',
    path: ['ledger.adoptRefund', 'stripe.refundsOf', 'ledger.noteUnnamedRefunds'],
    sent: true,
    inSweep: true,
    ending: 'refunded',
    async tell(scene) {
      const { world } = scene;
      const { id: order } = given(scene);
      const { id, chargeId, transactionId, received } = paymentOf(world, order);
      await world.hyperswitch.refundInDashboard({ payment_id: id, amount: Math.floor(received / 2) });
      await scene.die(id, chargeId ?? '', transactionId ?? '');
      const told = { type: 'charge.refunded', objectId: chargeId, parentId: transactionId };
      await world.tell({ provider: 'stripe', ...told }, 'sweep');
      return { order, mend: () => world.passRounds(order) };
    },
  },
  {
    what: 'a dispute that cannot be read at first',
    path: ['ledger.disputeUnread'],
    sent: true,
    ending: 'disputed',
    async tell(scene) {
      const { world } = scene;
      world.stripe.setFaults([UNREAD]);
      const mend = () => world.stripe.setFaults([]);
      const told = await disputed(scene);
      const readAgain = async () => {
        const { id } = await seen(world, await told.order, ({ last_answer: answer }) => answer === 'unread');
        mend();
        world.wake([{ kind: 'dispute', id }]);
      };
      // Stripe is everybody's: it is well again before the next story begins.
      return { ...told, mend, ...(scene.somebodyDies ? {} : { rest: readAgain() }) };
    },
  },
];

/** An inquiry at a processor that keeps no record which we can read: Hyperswitch's words are all there is, and nothing follows from them. */
export const INQUIRY_ELSEWHERE: Story = {
  what: 'an inquiry at another processor',
  path: ['hyperswitch.readDispute', 'ledger.disputeWithoutRecord'],
  sent: true,
  ending: 'inquiry',
  tell: (scene) => disputed(scene, { stage: 'pre_dispute', status: 'dispute_opened' }),
};
