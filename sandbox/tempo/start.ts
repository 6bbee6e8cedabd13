import type { Address } from 'viem';
import { systemClock } from '../../src/domain/clock.js';
import { troubleControl } from '../stand-in/control.js';
import { createFaultSwitches } from '../stand-in/fault-rules.js';
import { type Journal, openJournal } from '../stand-in/journal.js';
import type { Listener, StandIn, StandInOptions } from '../stand-in/listener.js';
import { startStandIn } from '../stand-in/start.js';
import { type CallLog, createCallLog } from './control/call-log.js';
import type { TempoControl } from './control/control.js';
import { controlRoutes } from './control/control-routes.js';
import { ledgerView } from './control/ledger-view.js';
import { SANDBOX_CHAIN_ID, SANDBOX_CURRENCY } from './defaults.js';
import { type Faults, faultRuleSchema } from './faults.js';
import { rpcRoutes } from './http/rpc-routes.js';
import { type Chain, createChain } from './state/chain.js';

export interface TempoSandboxOptions extends StandInOptions {
  readonly chainId?: number;
}

/** `TEMPO_RPC_URL` is set to its `url`. */
export interface TempoSandbox extends TempoControl, StandIn {
  readonly chainId: number;
}

/**
 * Starts a Tempo node with a channel reserve (TIP-1034) on the loopback interface.
 * @throws Error when the port is taken or the journal cannot be read
 */
export async function startTempoSandbox(options: TempoSandboxOptions = {}): Promise<TempoSandbox> {
  const parts = await assemble(options);
  return await startStandIn({ port: options.port, journal: parts.journal }, (listener) => {
    const control = { ...controlOf(parts, listener), chainId: parts.chain.chainId };
    const provider = [rpcRoutes({ ...parts, closing: listener.closing })];
    return { control, switches: controlRoutes(control), provider, errorBody };
  });
}

interface Parts {
  readonly chain: Chain;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly journal: Journal;
}

async function assemble({ stateDir, seed, clock = systemClock, chainId }: TempoSandboxOptions): Promise<Parts> {
  const { journal, entries } = await openJournal(stateDir, 'tempo.jsonl');
  const chain = createChain({ chainId: chainId ?? SANDBOX_CHAIN_ID, clock, journal });
  for (const entry of entries) {
    if (entry.t === 'reset') chain.clear();
    else await chain.replay(entry);
  }
  return { chain, journal, calls: createCallLog(clock), faults: createFaultSwitches(faultRuleSchema, seed) };
}

function controlOf({ chain, calls, faults, journal }: Parts, listener: Listener): TempoControl {
  return {
    ...troubleControl(faults, listener),
    ledger: () => ledgerView(chain),
    calls: () => calls.view(),
    setBalance(owner, balance, token = SANDBOX_CURRENCY) {
      chain.setBalance(token as Address, owner as Address, balance);
      return chain.durable();
    },
    mine() {
      chain.minePool();
      return chain.durable();
    },
    async reset() {
      for (const part of [faults, chain, calls]) part.clear();
      await journal.append({ t: 'reset' });
    },
  };
}

const errorBody = (status: number) => ({
  jsonrpc: '2.0',
  id: null,
  error: { code: status < 500 ? -32_700 : -32_603, message: status < 500 ? 'not read' : 'internal error' },
});
