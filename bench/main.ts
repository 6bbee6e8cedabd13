import { parseArgs } from 'node:util';
import { acceptAtEase, acceptBurst } from './accept.js';
import { challenges } from './challenges.js';
import { channelVouchers } from './channel.js';
import { type Round, spread } from './measure.js';
import { neighbours } from './neighbours.js';
import { oneWorkflowEach } from './one-each.js';
import { outage } from './outage.js';
import { overflow } from './overflow.js';
import { openPlace, type Place } from './place.js';

interface Measurement {
  readonly what: string;
  readonly run: (place: Place, scale: number) => Promise<Round>;
}

const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  ease: { what: 'acceptance at 20 a second ÷ one bare INSERT alone', run: acceptAtEase },
  burst: { what: 'acceptance of 50 at once ÷ 50 bare INSERTs at once', run: acceptBurst },
  'one-each': { what: 'one workflow per settlement ÷ the same without us', run: oneWorkflowEach },
  overflow: { what: 'shared workflows ÷ a hand-written poller on the same tables', run: overflow },
  channel: { what: 'a voucher request ÷ the same at npm mppx with its memory store', run: channelVouchers },
  challenges: { what: 'a 402 while the auth server takes 3 s for every answer ÷ while it is well', run: challenges },
  outage: { what: 'drain after an outage ÷ steady rate', run: outage },
  neighbours: { what: 'worst p99 beside an ill provider ÷ while all are well', run: neighbours },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, scale: { type: 'string', default: '1' } },
});
/** Takes ten minutes a round, and so runs only where it is named. */
const BY_NAME_ONLY = 'neighbours';
const chosen = positionals.length > 0 ? positionals : Object.keys(MEASUREMENTS).filter((name) => name !== BY_NAME_ONLY);
const unknown = chosen.find((name) => !(name in MEASUREMENTS));
if (unknown !== undefined) {
  console.error(`there is no measurement ${unknown}: choose from ${Object.keys(MEASUREMENTS).join(', ')}`);
  process.exit(1);
}

const place = await openPlace();
const rounds = new Map<string, Round[]>(chosen.map((name) => [name, []]));
try {
  // Round by round through all of them, so that a slow minute of the machine touches each.
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const name of chosen) {
      process.stderr.write(`round ${round}: ${name}\n`);
      const figures = await MEASUREMENTS[name]?.run(place, Number(values.scale));
      if (figures) rounds.get(name)?.push(figures);
    }
  }
} finally {
  await place.dispose();
}
for (const [name, figures] of rounds) print(name, figures);
// Temporal's native runtime would keep the process alive.
process.exit(0);

function print(name: string, figures: readonly Round[]): void {
  console.log(`\n${name}: ${MEASUREMENTS[name]?.what} (min / median / max of ${figures.length})`);
  for (const part of ['ratios', 'context'] as const) {
    const all = figures.map((round) => round[part]);
    for (const key of Object.keys(all[0] ?? {})) {
      console.log(
        part === 'ratios' ? `  ${key.padEnd(28)} ×${spread(all, key)}` : `    ${key.padEnd(26)} ${spread(all, key)}`,
      );
    }
  }
}
