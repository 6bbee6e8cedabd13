import type { HyperswitchOwner } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';

/**
 * What the read of a payment that Hyperswitch is known to hold shows of our key. `none_known`: there is no such payment yet,
 * so the next answer pins whose Hyperswitch it is.
 */
export type Control =
  | { readonly kind: 'ours' | 'none_known' }
  | { readonly kind: 'mismatch' | 'unread'; readonly detail: string };

/** A key of another merchant answers 404 for everything of ours: nothing may be concluded from that, and nothing sent. */
export interface HyperswitchAccount {
  /** Before anything is sent: asked until it was ours once in this process. */
  verify(): Promise<Control>;
  /** Beside whatever is to be concluded from an absence: asked now, of a payment other than the absent one. */
  control(except?: PaymentId): Promise<Control>;
  /**
   * Of an answer that names its owner. @param profileId that the order of the payment has named; null: none; left out: any that orders have named
   * @returns why it is not ours; undefined: it is
   */
  misfit(owner: HyperswitchOwner, profileId?: string | null): Promise<string | undefined>;
  /** Of what a list names: other profiles of the same merchant stand in it too, so nothing is pinned by it. False until {@link verify} was ours. */
  owns(owner: HyperswitchOwner): boolean;
  /** Of a refund, which names its profile alone. */
  profileMisfit(profileId: string | null): Promise<string | undefined>;
}

export function createHyperswitchAccount({
  ledger,
  hyperswitch,
}: {
  readonly ledger: Pick<Ledger, 'pinHyperswitch' | 'knownPayment' | 'hyperswitchIsOurs' | 'profilesOfOrders'>;
  readonly hyperswitch: Pick<Hyperswitch, 'readPayment'>;
}): HyperswitchAccount {
  let pinned: HyperswitchOwner | undefined;
  let verified = false;
  /** Profiles that orders have named. */
  let ofOrders = new Set<string>();
  let asking: Promise<Control> | undefined;

  /** The merchant is pinned by any answer, his own profile by those about payments that name none. */
  async function pin(owner: HyperswitchOwner, profileId: string | null): Promise<HyperswitchOwner> {
    if (profileId !== null) return { ...(await ledger.pinHyperswitch(owner, profileId)), profileId };
    if (pinned === undefined || !isSame(pinned, owner)) pinned = await ledger.pinHyperswitch(owner, null);
    return pinned;
  }

  /** An order that named it may be younger than what this process knows. */
  async function isOfOrders(profileId: string): Promise<boolean> {
    if (!ofOrders.has(profileId) && profileId !== pinned?.profileId)
      ofOrders = new Set(await ledger.profilesOfOrders());
    return ofOrders.has(profileId);
  }

  async function misfit(owner: HyperswitchOwner, asked?: string | null): Promise<string | undefined> {
    const isNamed = asked === undefined && owner.profileId !== null && (await isOfOrders(owner.profileId));
    const profileId = isNamed ? owner.profileId : (asked ?? null);
    const ours = await pin(owner, profileId);
    if (!isSame(ours, owner)) {
      verified = false;
      return `HYPERSWITCH_API_KEY belongs to ${named(owner)}, and this ${profileId === null ? 'ledger' : 'payment'} to ${named(ours)}: nothing is sent and nothing concluded; set the right key, then resolve with retry`;
    }
    if (profileId !== null) ofOrders.add(profileId);
    if (!verified) {
      verified = true;
      await ledger.hyperswitchIsOurs();
    }
    return undefined;
  }

  async function control(except: PaymentId | null = null): Promise<Control> {
    ofOrders = new Set(await ledger.profilesOfOrders());
    const known = await ledger.knownPayment(except);
    if (!known) return { kind: 'none_known' };
    const answer = await hyperswitch.readPayment(known.hyperswitchPaymentId);
    switch (answer.kind) {
      case 'found': {
        const detail = await misfit(answer.value.owner, known.profileId);
        return detail === undefined ? { kind: 'ours' } : { kind: 'mismatch', detail };
      }
      case 'missing':
        verified = false;
        return {
          kind: 'mismatch',
          detail: `Hyperswitch does not know ${known.hyperswitchPaymentId} (payment ${known.id}), which it had: HYPERSWITCH_API_KEY or HYPERSWITCH_BASE_URL is another merchant's. Nothing is sent and nothing concluded; set the right ones, then resolve with retry`,
        };
      case 'unclear':
      case 'busy':
      case 'misdirected':
        return { kind: 'unread', detail: answer.detail };
    }
  }

  return {
    control,
    misfit,
    owns: (owner) =>
      pinned !== undefined &&
      (isSame(pinned, owner) ||
        (owner.merchantId === pinned.merchantId && owner.profileId !== null && ofOrders.has(owner.profileId))),
    async verify() {
      if (verified) return { kind: 'ours' };
      // Many calls begin at once; one of them asks for all.
      asking ??= control().finally(() => {
        asking = undefined;
      });
      return await asking;
    },
    async profileMisfit(profileId) {
      if (profileId === null) return undefined;
      // Whose profile it is was read before: a refund is made of a payment that Hyperswitch holds.
      const account = pinned ?? ((await control()).kind === 'ours' ? pinned : undefined);
      if (account === undefined || account.profileId === null || account.profileId === profileId) return undefined;
      if (await isOfOrders(profileId)) return undefined;
      return `Hyperswitch answered for profile ${profileId}, and this ledger belongs to ${named(account)}: nothing is concluded; set the right HYPERSWITCH_API_KEY, then resolve with retry`;
    },
  };
}

const isSame = (one: HyperswitchOwner, other: HyperswitchOwner): boolean =>
  one.merchantId === other.merchantId && one.profileId === other.profileId;

const named = ({ merchantId, profileId }: HyperswitchOwner): string =>
  `merchant ${merchantId}${profileId === null ? '' : `, profile ${profileId}`}`;
