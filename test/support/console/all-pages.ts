import { IDS } from './night.js';

/** Every page of the console, by the name of its picture. */
export const ALL_PAGES: Readonly<Record<string, string>> = {
  overview: '/',
  'stuck-reversal': `/item/reversal/${IDS.reversals[1]}`,
  order: `/item/order/${IDS.order}`,
  settlement: `/item/settlement/${IDS.settlement}`,
  settlements: '/settlements',
  orders: '/orders',
  payments: '/payments',
  refunds: '/refunds',
  transfers: '/transfers',
  reversals: '/reversals?needs_attention=true',
  channels: '/channels',
  disputes: '/disputes',
  webhooks: '/webhooks',
  decisions: '/decisions',
  approvals: '/approvals',
  drift: '/drift',
  'decide-many': '/decide?kind=reversal&reason=retries_exhausted',
  search: '/search?q=acct_1QmWeaving',
  runbooks: '/runbooks',
  runbook: '/runbooks/foreign-reversal',
};
