/** What Stripe allows each endpoint (docs.stripe.com/rate-limits). */
export const STRIPE_REQUESTS_PER_SECOND = 25;

/** What Stripe allows an account on all endpoints together, by the mode of its key (docs.stripe.com/rate-limits). */
export const stripeRequestsOverall = (secretKey: string): number => (/^[a-z]+_live_/.test(secretKey) ? 100 : 25);

/** Requests a second to all endpoints together, as the settings have it: what no person's word is above. */
export const stripeRateOfSettings = (stripe: {
  readonly secretKey: string;
  readonly maxRps: number | undefined;
}): number => stripe.maxRps ?? stripeRequestsOverall(stripe.secretKey);

/** What a person has set; `at` is ISO 8601. */
export interface StripeRateSet {
  readonly perSecond: number;
  readonly by: string;
  readonly authenticated: boolean;
  readonly note: string;
  readonly at: string;
}

/** How fast Stripe is called now, and by whose word. */
export interface StripeRate {
  readonly set: StripeRateSet | null;
  /** Tokens that are out: of all endpoints together, and of each that has any. */
  readonly pace: number;
  readonly endpoints: readonly { readonly endpoint: string; readonly pace: number }[];
}

/** The lower of the two holds. @param ofSettings undefined: nothing is set here */
export const stripeRateInForce = (set: StripeRateSet | null, ofSettings: number | undefined): number | undefined =>
  set === null ? ofSettings : ofSettings === undefined ? set.perSecond : Math.min(set.perSecond, ofSettings);

/** What may be set: the settings' limit; where Stripe is not set, what it allows an endpoint. */
export const mostSettable = (ofSettings: number | undefined): number => ofSettings ?? STRIPE_REQUESTS_PER_SECOND;

/** For a terminal. */
export function stripeRateLines(
  { set, pace, endpoints }: StripeRate,
  ofSettings: number | undefined,
): readonly string[] {
  const inForce = stripeRateInForce(set, ofSettings);
  const settings =
    ofSettings === undefined ? 'the settings here name no Stripe account' : `the settings allow ${ofSettings} a second`;
  return [
    set === null
      ? `nobody has set a rate: ${settings}, and each endpoint ${STRIPE_REQUESTS_PER_SECOND}`
      : `${set.perSecond} a second, set by ${set.by}${set.authenticated ? '' : ' (as claimed)'} at ${set.at}${set.note === '' ? '' : ` (${set.note})`}; ${settings}`,
    ...(inForce === undefined
      ? []
      : [
          `in force: ${inForce} a second over all endpoints, and ${Math.min(inForce, STRIPE_REQUESTS_PER_SECOND)} for each`,
        ]),
    `used now: ${pace} over all endpoints${endpoints.map((one) => `, ${one.pace} ${one.endpoint}`).join('')}`,
  ];
}
