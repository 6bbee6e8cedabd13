import { z } from 'zod';
import { PAYMENT_PROVIDERS } from '../domain/marketplace/marketplace.js';
import { apiBase, DAY, duration, oneOf, SECOND, secretOf } from './config-values.js';
import { optional, standard, webhookSecrets } from './describe.js';

/** Where payments are made, and for how long they wait for their buyers and for whoever captures them. */
export const PAYMENT_VARIABLES = {
  HYPERSWITCH_BASE_URL: optional(apiBase(), {
    description:
      'Hyperswitch; without it payments and refunds are made at Stripe (PAYMENT_PROVIDER=stripe), or by a checkout of your own.',
    example: 'https://sandbox.hyperswitch.io',
  }),
  HYPERSWITCH_API_KEY: optional(secretOf(8), { secret: true, description: 'Hyperswitch API key.', example: 'snd_…' }),
  HYPERSWITCH_WEBHOOK_SECRET: webhookSecrets(
    'Signing secrets of the Hyperswitch webhook (the payment response hash key), comma-separated while rotating.',
  ),
  PAYMENT_PROVIDER: standard(
    oneOf(PAYMENT_PROVIDERS),
    'hyperswitch',
    'Where payments of new orders are made. Each payment, and its refunds, stays where it was made.',
  ),
  HYPERSWITCH_PROFILE_ID: optional(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), {
    description:
      'Profile of Hyperswitch that payments are made under where their order names none; without it that of the API key.',
    example: 'pro_1aBcD',
  }),
  PAYMENT_EXPIRY: standard(
    duration(SECOND, 90 * DAY),
    '24h',
    'How long a buyer has to pay: what nobody has paid by then is cancelled at its provider.',
  ),
  CAPTURE_OVERDUE: standard(
    duration(SECOND, 90 * DAY),
    '6d',
    "A person is asked about a payment that is captured by hand when its buyer's money has been held for so long: a card's bank lets it go after about seven days.",
  ),
};

export interface HyperswitchSettings {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly webhookSecrets: readonly string[] | undefined;
  /** Left out: that of the key. */
  readonly profileId?: string | undefined;
}
