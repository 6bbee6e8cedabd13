import { lowerHex } from '../../protocols/wire-json.js';
import type { OfferTerms } from './offer-terms.js';
import { refuse, sameLimits } from './route-options.js';

/**
 * What a client is to choose from it must be able to tell apart, and so must we when it has chosen.
 *
 * @throws Error that says what to do, at definition time
 */
export function checkOfferList(offers: readonly OfferTerms[]): void {
  for (const [nth, offer] of offers.entries()) {
    const { protocol, network, asset } = offer;
    const earlier = offers.slice(0, nth).filter((other) => other.protocol === protocol && other.network === network);
    if (earlier.some((other) => lowerHex(other.asset) === lowerHex(asset))) {
      refuse(
        'protocols',
        `${protocol} takes ${asset} on ${network} twice, and no payment would say which of the two it is for: leave one out`,
        "protocols: ['x402', { protocol: 'x402', network: 'polygon', asset: '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359' }]",
      );
    }
    if (protocol === 'atxp' && earlier.some((other) => sameCurrency(other, offer))) {
      refuse(
        'protocols',
        `an option of ATXP is its network and currency, and ${offer.currency} on ${network} stands there twice: leave one out, or state the currency of the other`,
        "protocol: 'atxp', currency: 'USDC'",
      );
    }
  }
  checkAtxpOptions(offers.filter(({ protocol }) => protocol === 'atxp'));
  checkSums(offers);
}

/**
 * The auth server chooses which option is paid, and no credential must say it: whichever it is, the ledger has the right
 * amount of the right currency.
 */
function checkAtxpOptions([first, ...others]: readonly OfferTerms[]): void {
  const unlike = others.find(
    (other) =>
      first !== undefined &&
      !(sameCurrency(first, other) && first.decimals === other.decimals && first.amount === other.amount),
  );
  if (unlike === undefined) return;
  refuse(
    'protocols',
    'the auth server chooses which option of ATXP is paid, so all of them have one currency, decimals and amount: offer the others by x402 or mpp',
    "protocols: ['atxp', { protocol: 'x402', asset: '0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42', price: '9200' }]",
  );
}

/** What is summed together has limits together. */
function checkSums(offers: readonly OfferTerms[]): void {
  for (const offer of offers) {
    const first = offers.find(({ summedAs }) => summedAs === offer.summedAs);
    if (offer.summedAs === undefined || first === undefined || sameLimits(first.exposure, offer.exposure)) continue;
    refuse(
      'protocols',
      `all that is taken in ${offer.summedAs} counts to the same limits: state the same ones in each of its entries`,
      "exposure: { perPayer: '1000000' }",
    );
  }
}

const sameCurrency = (one: OfferTerms, other: OfferTerms): boolean =>
  one.currency.toUpperCase() === other.currency.toUpperCase();
