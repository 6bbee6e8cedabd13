import { minorUnits } from '../domain/marketplace/reversal-answer.js';

/** Amounts in minor units are integers on every wire, as the API writes them. */
export const asJson = (answer: object): string =>
  JSON.stringify(answer, (_name, value: unknown) => (typeof value === 'bigint' ? minorUnits(value) : value));
