import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { emptyDirectory } from '../../sandbox/demo/directory.js';
import { INCIDENTS } from '../../sandbox/incidents/incidents.js';
import { type IncidentWorld, incidentSettings, openIncidentWorld, restart } from '../../sandbox/incidents/world.js';
import { onEndRequest } from '../../sandbox/stack/end-requests.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { type Stack, startStack } from '../../sandbox/stack/stack.js';

/** `npm run incidents`: what can go wrong at night, on a stack of its own; `-- <name>…` plants these, else all of them. */
const NAMES = INCIDENTS.map(({ name }) => name);
const write = (line = '') => process.stdout.write(`${line}\n`);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no incident ${unknown.join(', ')}: ${NAMES.join(', ')}\n`);
  process.exit(2);
}

let stack: Stack | undefined;
let stopping = false;
async function end(status: number): Promise<void> {
  // A second Ctrl-C does not wait; the guard of the processes ends what is left.
  if (stopping) process.exit(status);
  stopping = true;
  await stack?.stop();
  process.exit(status);
}
onEndRequest(() => void end(0), process.env);

async function plant(world: IncidentWorld, name: string): Promise<void> {
  const incident = INCIDENTS.find((one) => one.name === name);
  if (!incident) throw new Error(`there is no incident ${name}`);
  const { names, page } = await incident.plant(world);
  write();
  write(`${name}: ${incident.says}`);
  for (const [what, is] of Object.entries(names)) write(`   ${`<${what}>`.padEnd(14)} ${is}`);
  write(`   ${'console'.padEnd(14)} ${world.stack.endpoints.console}${page}`);
}

function whereToLook({ endpoints }: Stack, directory: string): void {
  write();
  write('What to do about each: docs/runbooks/incidents.md. Where to do it:');
  write(`   the console    ${endpoints.console}`);
  write(`   sign in with   ${endpoints.tokens.operator}`);
  write(`   second person  ${endpoints.tokens.approver}`);
  write(`   Temporal       ${endpoints.temporalUi}`);
  write(`   a shell        export MAKEGOOD_DIRECTORY=${directory}`);
  write('                  and what docs/runbooks/README.md says under "What the commands need"');
  write();
  write('Type the name of an incident to plant one more, restart to start server and worker anew; Ctrl-C ends it all.');
}

/** One thing after the other: what is typed meanwhile waits. */
async function obey(world: IncidentWorld): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const typed = line.trim();
    try {
      if (typed === 'restart') {
        await restart(world.stack);
        write('server and worker run, with the settings as they are now');
      } else if (typed !== '') await plant(world, typed);
    } catch (error) {
      write(`✗ ${inWords(error)}`);
    }
  }
}

const inWords = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  const directory = await emptyDirectory(join(projectRoot(), '.makegood-incidents'));
  write(`Makegood: starting everything, providers as stand-ins (logs in ${join(directory, 'log.txt')}).`);
  const log = createWriteStream(join(directory, 'log.txt'));
  stack = await startStack({
    directory,
    environment: process.env,
    settings: incidentSettings(directory),
    log: (name, line) => void log.write(`${name.padEnd(8)} | ${line}\n`),
  });
  void stack.failure.then((failure) => {
    write(`✗ ${failure.message}`);
    return end(1);
  });
  const world = await openIncidentWorld(stack, process.env);
  for (const name of NAMES.filter((one) => wanted.length === 0 || wanted.includes(one))) await plant(world, name);
  whereToLook(stack, directory);
  await obey(world);
} catch (error) {
  // Whatever fails once it was told to end failed because of that.
  if (!stopping) write(`✗ ${inWords(error)}`);
  await end(1);
}
