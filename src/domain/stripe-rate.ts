/** What Stripe allows each endpoint (docs.stripe.com/rate-limits). */
export const STRIPE_REQUESTS_PER_SECOND = 25;

/** What Stripe allows an account on all endpoints together, by the mode of its key (docs.stripe.com/rate-limits). */
export const stripeRequestsOverall = (secretKey: string): number => (/^[a-z]+_live_/.test(secretKey) ? 100 : 25);

/** Requests a second to all endpoints together, as the settings have it: what no person's word is above. */
export const stripeRateOfSettings = (stripe: StripeLimits): number =>
  stripe.maxRps ?? stripeRequestsOverall(stripe.secretKey);

/** STRIPE_SECRET_KEY and STRIPE_MAX_RPS. */
interface StripeLimits {
  readonly secretKey: string;
  readonly maxRps: number | undefined;
}

/** Whose word that is, for a person who wants to raise it. */
function limitInWords(stripe: StripeLimits | undefined): string {
  if (!stripe) return 'the settings here name no Stripe account';
  const rate = `${stripeRateOfSettings(stripe)} a second`;
  return stripe.maxRps === undefined
    ? `STRIPE_MAX_RPS is not set, and Stripe allows a key like this one ${rate}`
    : `STRIPE_MAX_RPS allows ${rate}`;
}

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
  stripe: StripeLimits | undefined,
): readonly string[] {
  const inForce = stripeRateInForce(set, stripe && stripeRateOfSettings(stripe));
  const settings = limitInWords(stripe);
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
