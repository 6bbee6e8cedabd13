import { type AbiEvent, encodeAbiParameters, encodeEventTopics, getAbiItem, type Hex } from 'viem';
import { Abis, Channel as Reserve } from 'viem/tempo';
import type { Descriptor, Log } from '../state/records.js';

type EventName = 'ChannelOpened' | 'Settled' | 'TopUp' | 'CloseRequested' | 'ChannelClosed' | 'CloseRequestCancelled';

/** A log with the precompile's own ABI: every event is indexed by channel, payer and payee. */
export function escrowLog(
  name: EventName,
  { id, descriptor }: { readonly id: Hex; readonly descriptor: Descriptor },
  values: Readonly<Record<string, bigint | Hex>> = {},
): Log {
  const item = getAbiItem({ abi: Abis.tip20ChannelReserve, name }) as AbiEvent;
  const inputs = item.inputs.filter((input) => input.indexed !== true);
  return {
    address: Reserve.address,
    topics: encodeEventTopics({
      abi: Abis.tip20ChannelReserve,
      eventName: name,
      args: { channelId: id, payer: descriptor.payer, payee: descriptor.payee },
    }) as Hex[],
    data: encodeAbiParameters(
      inputs,
      inputs.map((input) => values[input.name ?? '']),
    ),
  };
}
