import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { plural } from '../../domain/plural.js';
import { type PackFinding, verifyPack } from '../../domain/proof/verify-pack.js';
import { type CliContext, CommandRefused } from '../context.js';
import { everySoOften } from '../progress.js';
import { rawLines } from '../raw-lines.js';
import { verifyDatabase } from './verify-database.js';

interface VerifyOptions {
  readonly database?: true;
  readonly anchors?: string;
  readonly json?: true;
}

export function addVerifyCommand(program: Command, context: CliContext): void {
  const command = program
    .command('verify [file]')
    .description(
      'check a proof pack that makegood export has written, without a database; or with --database every chain in Postgres. Names the first event that was changed, is missing, was added or stands elsewhere, and ends with status 1',
    )
    .option('--database', 'walk through all chains in Postgres')
    .option(
      '--anchors <directory>',
      'with --database: compare the chains with the heads anchored there; default: AUDIT_ANCHOR_DIR',
    )
    .option('--json', 'answer as JSON')
    .action(async (file: string | undefined, options: VerifyOptions) => {
      if ((file === undefined) === (options.database === undefined))
        command.error('error: name the file of a proof pack, or --database.');
      if (options.anchors !== undefined && !options.database) command.error('error: --anchors goes with --database.');
      if (file === undefined) await verifyDatabase(context, options);
      else await verifyFile(context, file, options);
    });
}

async function verifyFile(context: CliContext, file: string, { json }: VerifyOptions): Promise<void> {
  await access(file).catch((cause: Error) => {
    throw new CommandRefused(`${file} cannot be read: ${cause.message}`, { cause });
  });
  let count = 0;
  const tellProgress = everySoOften(context, () => `${count} records checked`);
  const { head, records, items, sha256, finding } = await verifyPack(rawLines(createReadStream(file)), (so) => {
    count = so;
    tellProgress();
  });
  if (json) {
    const about = head && { items: head.items, from: head.from, to: head.to, made_at: head.madeAt };
    const answer = { ok: finding === undefined, file, pack: about ?? null, records, items };
    context.out(JSON.stringify({ ...answer, sha256: sha256 ?? null, first: finding ?? null }));
  }
  if (finding) throw new CommandRefused(`${file}, ${inWords(finding)}`);
  if (!json)
    context.out(
      `${plural(records, 'event')} of ${plural(items, 'item')} ${records === 1 ? 'is as it was' : 'are as they were'} written; the pack's own sha256 is ${sha256}`,
    );
}

function inWords({ problem, line, record, item, place, detail }: PackFinding): string {
  const where = [
    `line ${line}`,
    ...(record === null ? [] : [`record ${record}`]),
    ...(item === null ? [] : [`${item} event ${place}`]),
  ];
  return `${where.join(', ')}: ${problem}. ${detail}`;
}
