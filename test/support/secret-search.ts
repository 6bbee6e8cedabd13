import { type Client, defaultPayloadConverter, type WorkflowHandle } from '@temporalio/client';
import { sql } from './settlements/ledger-comparison.js';

/**
 * Every way in which a secret may stand in a text: as it is, in any case, as base64 at any offset, in hex, escaped.
 * @param secrets at least 16 characters each, so that no finding is chance
 */
export function encodingsOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => {
    if (secret.length < 16) throw new Error('a secret to look for needs at least 16 characters');
    const bytes = Buffer.from(secret);
    return [secret, encodeURIComponent(secret), bytes.toString('hex'), ...base64Middles(bytes)];
  });
  return Array.from(new Set(forms.map((form) => form.toLowerCase())));
}

/** What is left of the base64 of any text that holds these bytes, whatever stands before and after them. */
function base64Middles(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const middle = (text: string) => text.replace(/=+$/, '').slice(before === 0 ? 0 : before + 1, -2);
    return [middle(padded.toString('base64')), middle(padded.toString('base64url'))];
  });
}

export interface Finding {
  readonly where: string;
  readonly around: string;
}

/** The places where one of the forms stands, with a little of what is around it. */
export function findSecret(forms: readonly string[], where: string, text: string): Finding[] {
  const lower = text.toLowerCase();
  return forms.flatMap((form) => {
    const at = lower.indexOf(form);
    return at < 0 ? [] : [{ where, around: text.slice(Math.max(0, at - 60), at + form.length + 20) }];
  });
}

/** Every row of every table, bytes as hex. @returns with how many rows were looked at, so that no search is empty */
export async function searchDatabase(
  url: string,
  forms: readonly string[],
): Promise<{ findings: Finding[]; rows: number }> {
  const tables = await sql<{ name: string }>(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const findings: Finding[] = [];
  let rows = 0;
  for (const { name } of tables) {
    for (const { text } of await sql<{ text: string }>(url, `SELECT t::text AS text FROM ${name} AS t`)) {
      rows += 1;
      findings.push(...findSecret(forms, name, text));
    }
  }
  return { findings, rows };
}

/** Histories, memos, search attributes, summaries and details of every workflow, as JSON and with payloads decoded. */
export async function searchTemporal(
  client: Client,
  forms: readonly string[],
): Promise<{ findings: Finding[]; workflows: number; events: number }> {
  const findings: Finding[] = [];
  let workflows = 0;
  let events = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    workflows += 1;
    const handle = client.workflow.getHandle(workflowId, runId);
    const description = await handle.describe();
    const history = await handle.fetchHistory();
    events += history.events?.length ?? 0;
    const shown = [
      historyText(history),
      JSON.stringify(description.raw),
      JSON.stringify({ memo: description.memo, attributes: description.typedSearchAttributes.getAll() }),
      String(await description.staticSummary()),
      String(await description.staticDetails()),
    ].join('\n');
    findings.push(...findSecret(forms, `workflow ${workflowId}`, `${shown}\n${decodedPayloads(shown)}`));
  }
  return { findings, workflows, events };
}

/** The SDK's own JSON refuses a history that holds nothing yet but what the server made up, so plain protobuf JSON it is. */
const historyText = (history: Awaited<ReturnType<WorkflowHandle['fetchHistory']>>): string =>
  JSON.stringify(history, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );

/** Payloads are base64 inside the JSON: at an offset of their own, but a reader wants to see what was found. */
function decodedPayloads(json: string): string {
  const decoder = defaultPayloadConverter;
  return Array.from(json.matchAll(/"data":\s*"([^"]+)"/g), ([, data]) => {
    const bytes = Buffer.from(data ?? '', 'base64');
    try {
      const metadata = { encoding: Buffer.from('json/plain') };
      return JSON.stringify(decoder.fromPayload({ metadata, data: bytes }));
    } catch {
      return bytes.toString();
    }
  }).join('\n');
}
