import { tempo } from 'mppx/client';
import { createClient, http } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { tempoModerato } from 'viem/chains';

/** A wallet for the command line program of npm mppx (MPPX_CONFIG), on the chain at CHAIN_URL instead of the public one. */
const account = privateKeyToAccount(generatePrivateKey());
const getClient = () =>
  createClient({ account, chain: tempoModerato, transport: http(process.env.CHAIN_URL), pollingInterval: 20 });

export default {
  methods: [tempo.charge({ account, getClient }), tempo.session({ account, getClient, maxDeposit: '5' })],
};
