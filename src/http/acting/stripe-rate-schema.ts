import { z } from 'zod';
import { timestamp } from '../schema-parts.js';

const count = z.int().min(0);

/** How fast Stripe is called, and by whose word. */
export const StripeRateAnswer = z
  .object({
    of_settings: count
      .nullable()
      .describe('Requests a second over all endpoints; null: Stripe is not set on this server.'),
    set: z
      .object({
        per_second: count,
        by: z.string(),
        authenticated: z.boolean().describe('False: a name that anybody may type.'),
        note: z.string(),
        at: timestamp,
      })
      .nullable()
      .describe('What a person has set for every process; null: nobody has.'),
    in_force: count.nullable().describe('The lower of the two.'),
    per_endpoint: count.describe('The same for each endpoint, of which Stripe takes no more than 25.'),
    most: count.describe('What may be set.'),
    pace: count.describe('Requests of the last second, and those that are not answered yet, over all endpoints.'),
    endpoints: z.array(z.object({ endpoint: z.string(), pace: count })),
  })
  .meta({ id: 'StripeRate' });
