import { accountObject, balanceObject, CAPABILITIES, capabilityObject, payoutObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { answer, type Caller, type Plan, refusal } from '../http/plan.js';
import { missing } from '../http/problems.js';
import type { PayoutRecord } from '../state/records.js';
import { accountOf, allFunds, barred } from './accounts.js';

export const LIST_PAYOUTS = {
  ...PAGE_PARAMS,
  arrival_date: { kind: 'range' },
  created: { kind: 'range' },
  destination: { kind: 'text' },
  status: { kind: 'text' },
} as const;

export function readAccount({ store, world }: Caller, id: string): Plan {
  const problem = barred(store, world, id);
  return problem ? refusal(problem) : answer(accountObject(accountOf(store, id, world.livemode)));
}

export function readCapability({ store, world }: Caller, id: string, name: string): Plan {
  const problem = barred(store, world, id);
  if (problem) return refusal(problem);
  const known = CAPABILITIES.find((each) => each === name);
  return known === undefined
    ? refusal(missing('capability', name, 'capability'))
    : answer(capabilityObject(accountOf(store, id, world.livemode), known));
}

export function listCapabilities({ store, world }: Caller, id: string): Plan {
  const problem = barred(store, world, id);
  if (problem) return refusal(problem);
  const account = accountOf(store, id, world.livemode);
  const data = CAPABILITIES.map((name) => capabilityObject(account, name));
  return answer({ object: 'list', data, has_more: false, url: `/v1/accounts/${id}/capabilities` });
}

export const readBalance = ({ store, world, account }: Caller): Plan =>
  answer(balanceObject(world.livemode, allFunds(accountOf(store, account, world.livemode))));

export function readPayout(caller: Caller, id: string): Plan {
  const row = caller.store.payout(id);
  return row !== undefined && belongsTo(row, caller)
    ? answer(payoutObject(row))
    : refusal(missing('payout', id, 'payout'));
}

const belongsTo = (row: PayoutRecord, { account, world }: Caller): boolean =>
  row.account === account && row.livemode === world.livemode;

export function listPayouts(caller: Caller, params: Values<typeof LIST_PAYOUTS>): Plan {
  const { arrival_date, created, destination, status } = params;
  const page = pageOf(
    {
      what: 'payout',
      url: '/v1/payouts',
      oldestFirst: caller.store.payouts().filter((row) => belongsTo(row, caller)),
      matches: (row) =>
        (created === undefined || inRange(row.created, created)) &&
        (arrival_date === undefined || inRange(row.arrivalDate, arrival_date)) &&
        (destination === undefined || payoutObject(row).destination === destination) &&
        (status === undefined || row.status === status),
    },
    params,
    payoutObject,
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}
