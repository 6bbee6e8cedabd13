// Ends the processes of a run whose main process died without ending them itself (kill -9, power of a terminal lost).
// Usage: node scripts/guard.mjs <directory for records>; the owner writes one JSON line per process on standard input:
//   {"add":{"pid":1,"signal":"SIGTERM","group":true,"directory":"/throw/away"}}   or   {"drop":{"pid":1}}
// When that pipe closes, everything still listed is ended and its directory removed. The list is also kept in a file, so
// that the next guard can tidy up should owner and guard both have been killed. Prints "ready" when that tidying is done.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeProcess, isAlive } from './processes.mjs';

const GRACE_MS = 5000;
const POLL_MS = 50;
const records = process.argv[2];

// Owner and guard must not die of the same Ctrl-C: the guard ends by its pipe only.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

function send(entry, signal) {
  if (!isAlive(entry)) return;
  try {
    process.kill(entry.group ? -entry.pid : entry.pid, signal);
  } catch {
    // it ended between the look and the signal
  }
}

async function end(entries) {
  for (const entry of entries.toReversed()) send(entry, entry.signal);
  const deadline = Date.now() + GRACE_MS;
  while (entries.some(isAlive) && Date.now() < deadline) await sleep(POLL_MS);
  for (const entry of entries) send(entry, 'SIGKILL');
  while (entries.some(isAlive) && Date.now() < deadline + GRACE_MS) await sleep(POLL_MS);
  for (const entry of entries) {
    if (entry.directory) rmSync(entry.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Ends what earlier runs left; waits for guards that are just doing that for a dead owner. */
async function tidy() {
  for (const name of readdirSync(records)) {
    const file = join(records, name);
    const read = () => {
      try {
        return JSON.parse(readFileSync(file, 'utf8'));
      } catch {
        return undefined;
      }
    };
    let record = read();
    const deadline = Date.now() + 3 * GRACE_MS;
    while (record && isAlive(record.guard) && !isAlive(record.owner) && Date.now() < deadline) {
      await sleep(POLL_MS);
      record = read();
    }
    if (!record || isAlive(record.owner)) continue;
    await end(record.entries);
    rmSync(file, { force: true });
  }
}

const own = join(records, `${process.pid}.json`);
const who = { guard: describeProcess(process.pid), owner: describeProcess(process.ppid) };
let entries = [];

function remember() {
  try {
    writeFileSync(`${own}.new`, JSON.stringify({ ...who, entries }));
    renameSync(`${own}.new`, own);
  } catch {
    // somebody removed the folder under a running stack; its processes must end all the same
  }
}

mkdirSync(records, { recursive: true });
const input = createInterface({ input: process.stdin });
await tidy();
remember();
process.stdout.write('ready\n');
for await (const line of input) {
  const { add, drop } = JSON.parse(line);
  if (add) entries.push({ ...add, ...describeProcess(add.pid) });
  if (drop) entries = entries.filter((entry) => entry.pid !== drop.pid);
  remember();
}
await end(entries);
rmSync(own, { force: true });
