/** Tempo's test network (Moderato): what viem knows as `tempoModerato`. */
export const SANDBOX_CHAIN_ID = 42431;

/** Play money: six decimals, as Tempo's stablecoins have. */
export const SANDBOX_CURRENCY = '0x20c0000000000000000000000000000000000001';
