import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { tellOfChannels } from '../../sandbox/demo/channel-story.js';
import { emptyDirectory } from '../../sandbox/demo/directory.js';
import { openLedgers } from '../../sandbox/demo/ledgers.js';
import { tellOfTheMarket } from '../../sandbox/demo/market-story.js';
import { createNarrator } from '../../sandbox/demo/narrator.js';
import { tellOfRefunds } from '../../sandbox/demo/refund-story.js';
import { tell } from '../../sandbox/demo/story.js';
import { onEndRequest } from '../../sandbox/stack/end-requests.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { type Stack, startStack } from '../../sandbox/stack/stack.js';
import { createMemoryChannelStore, createSessionFetch } from '../client.js';

/** `npm run demo`: the outage story on a stack of its own; `-- --exit` ends after it, 0 only if every promise held. */
const leaveAfterwards = process.argv.includes('--exit');
const write = (line: string) => process.stdout.write(`${line}\n`);

let stack: Stack | undefined;
let stopping = false;
/** Until every promise has held, ending the demo is a failure. */
let status = 1;
async function end(): Promise<void> {
  // A second Ctrl-C does not wait; the guard of the processes ends what is left.
  if (stopping) process.exit(status);
  stopping = true;
  await stack?.stop();
  process.exit(status);
}
onEndRequest(() => void end(), process.env);

/** So that a viewer need not wait: with the usual settings the same takes minutes. */
const BRISK = {
  SETTLEMENT_BACKOFF_BASE: '250ms',
  SETTLEMENT_BACKOFF_MAX: '2s',
  SETTLEMENT_SWEEP_INTERVAL: '1s',
  // A call that the killed worker left behind is asked about again after this.
  SETTLEMENT_HTTP_TIMEOUT: '5s',
  TRANSFER_RETRY_BACKOFF_BASE: '250ms',
  TRANSFER_RETRY_BACKOFF_MAX: '2s',
  TRANSFER_RETRY_INTERVAL: '1s',
  REVERSAL_BACKOFF_BASE: '500ms',
  REVERSAL_BACKOFF_MAX: '2s',
  REVERSAL_MAX_RETRIES: '100',
  REVERSAL_CHECK_INTERVAL: '1s',
};

function links({ endpoints }: Stack, ids: readonly string[], reversals: readonly string[]): void {
  const workflow = (id: string) => `${endpoints.temporalUi}/namespaces/default/workflows/${encodeURIComponent(id)}`;
  const header = `Authorization: Bearer ${endpoints.tokens.viewer}`;
  write('');
  write(leaveAfterwards ? 'Without --exit you could look on here:' : 'Look on:');
  write(`   the console      ${endpoints.server}/console, with the token ${endpoints.tokens.operator}`);
  write(`   Temporal Web UI  ${endpoints.temporalUi}`);
  for (const id of ids) write(`   one settlement   ${workflow(`settlement/${id}`)}`);
  for (const id of reversals.slice(0, 2)) write(`   one reversal     ${workflow(`reversal/${id}`)}`);
  write(`   all settlements  curl -H '${header}' '${endpoints.server}/api/v1/settlements'`);
  write(`   all reversals    curl -H '${header}' '${endpoints.server}/api/v1/reversals'`);
  write(`   metrics          curl -H '${header}' ${endpoints.server}/metrics`);
  write(`   their ledger     curl ${endpoints.sandbox}/_sandbox/ledger`);
  write(`   Stripe's books   curl ${endpoints.stripe}/control/ledger`);
  write(`   the chain        curl ${endpoints.chainRpc}/control/ledger`);
}

try {
  const started = performance.now();
  const directory = await emptyDirectory(join(projectRoot(), '.makegood-demo'));
  write(
    `Makegood: starting Postgres, Temporal, an auth server, Stripe, Hyperswitch, a Tempo node (stand-ins), the server and a worker (logs in ${join(directory, 'log.txt')}).`,
  );
  const log = createWriteStream(join(directory, 'log.txt'));
  stack = await startStack({
    directory,
    environment: process.env,
    settings: BRISK,
    log: (name, line) => void log.write(`${name.padEnd(8)} | ${line}\n`),
  });
  const running = stack;
  void running.failure.then((failure) => {
    status = 1;
    write(`✗ ${failure.message}`);
    return end();
  });
  const ledgers = await openLedgers(running.endpoints.database, running.endpoints.sandbox);
  const narrator = createNarrator(write);
  await tell({ stack: running, ledgers, narrator });
  const reversals = await tellOfRefunds({ stack: running, narrator });
  await tellOfTheMarket({ stack: running, narrator });
  await tellOfChannels({
    stack: running,
    narrator,
    client: { createSessionFetch, createMemoryChannelStore },
  });
  const longest = (await ledgers.ours()).sort((a, b) => b.attempts - a.attempts).slice(0, 3);
  await ledgers.close();
  links(
    running,
    longest.map(({ id }) => id),
    reversals,
  );
  write('');
  const took = ((performance.now() - started) / 1000).toFixed(0);
  if (narrator.broken.length === 0) write(`All ${narrator.kept} promises held (${took} s).`);
  else write(`${narrator.broken.length} promises did not hold: ${narrator.broken.join('; ')}.`);
  status = narrator.broken.length === 0 ? 0 : 1;
  if (leaveAfterwards) await end();
  write('Everything stays up: follow the links above, and end it with Ctrl-C.');
} catch (error) {
  // Whatever fails once it was told to end failed because of that.
  if (!stopping) write(`✗ the demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  await end();
}
