import { fundPlatform } from '../../../sandbox/stripe/fund-platform.js';
import { type StripeSandbox, type StripeSandboxOptions, startStripeSandbox } from '../../../sandbox/stripe/start.js';

/** Every currency that a test transfers. */
export const FUNDED = ['usd', 'eur', 'gbp', 'jpy', 'kwd'];

/** A stand-in of Stripe whose platform has plenty, for tests of something else. */
export async function startFundedStripe(options?: StripeSandboxOptions): Promise<StripeSandbox> {
  const sandbox = await startStripeSandbox(options);
  await fundPlatform(sandbox.url, FUNDED);
  return sandbox;
}
