import { driftAddress, itemAddress, payoutsAddress } from '../console-addresses.js';
import type { AttentionReason } from '../decisions/attention.js';
import type { DecidableKind } from '../decisions/decisions.js';
import { runbookOf, whyAsked } from '../explanations/attention-reasons.js';
import { formatDecimal } from '../money.js';
import { type DriftKind, driftInWords } from '../reconciliation/drift.js';
import { DRIFT_RUNBOOK } from '../reconciliation/drift-answer.js';
import type { Stage } from './destinations.js';
import type { Total } from './when-told.js';

/** Drift is grouped by its own kinds. Nothing is decided about a payout: a person asks its seller to mend his bank account. */
export type ToldKind = DecidableKind | `drift/${DriftKind}` | 'payout';

/**
 * What one message tells, frozen before its first attempt: what is sent again is the same. Plain JSON. It holds ids, amounts and
 * reasons of closed lists: nothing that a provider or a payer has written, so that no secret can be in it.
 */
export interface MessageContents {
  readonly reason: AttentionReason;
  /** ISO 8601, as all times here. */
  readonly writtenAt: string;
  readonly oldestSince: string;
  readonly count: number;
  readonly totals: readonly Total[];
  readonly kinds: readonly { readonly kind: ToldKind; readonly count: number }[];
  /** The oldest; there may be more. */
  readonly items: readonly MessageItem[];
}

export interface MessageItem {
  readonly kind: ToldKind;
  readonly id: string;
  readonly orderId: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly decimals: number | null;
  readonly since: string;
}

/** A message as its destination gets it: the same for every attempt. */
export interface Message {
  readonly id: string;
  readonly stage: Stage;
  readonly contents: MessageContents;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** More are not read by anybody; the console has all of them. */
export const MOST_ITEMS_TOLD = 20;

/** The body of a webhook, in the form that Standard Webhooks recommends. @param publicUrl PUBLIC_URL; undefined: no links */
export function webhookBody({ id, stage, contents }: Message, publicUrl: string | undefined): string {
  const { reason, writtenAt, count, items } = contents;
  return JSON.stringify({
    type: stage === 'first' ? 'makegood.attention' : 'makegood.attention.escalated',
    timestamp: writtenAt,
    data: {
      message_id: id,
      reason,
      count,
      oldest_since: contents.oldestSince,
      totals: contents.totals,
      kinds: contents.kinds.map(({ kind, count: ofKind }) => ({
        kind,
        count: ofKind,
        why: whyTold(kind, reason),
        runbook: runbookOfTold(kind, reason),
      })),
      items: items.map(({ kind, id: item, orderId, amount, currency, decimals, since }) => ({
        kind,
        id: item,
        order_id: orderId,
        amount,
        currency,
        decimals,
        since,
        console_url: itemUrl(publicUrl, kind, item),
      })),
      more: count - items.length,
    },
  });
}

export function mailOf({ stage, contents }: Message, publicUrl: string | undefined): Mail {
  const { reason, count, kinds, items, totals, writtenAt, oldestSince } = contents;
  const subject = `[Makegood] ${stage === 'first' ? '' : 'still open: '}${reason}: ${count} ${count === 1 ? 'item needs' : 'items need'} a person`;
  const head = [
    stage === 'first' ? 'This needs a person:' : 'Nobody has ended this yet:',
    ...totals.map((total) => `  ${total.count} with together ${inWords(total)}`),
    `  the oldest since ${oldestSince} (${ageInWords(oldestSince, writtenAt)} when this was written, ${writtenAt})`,
  ];
  const whys = kinds.flatMap(({ kind, count: ofKind }) => [
    `${ofKind} of ${isDrift(kind) ? kind : `${kind}s`}: ${whyTold(kind, reason)}.`,
    `  What to do: ${runbookOfTold(kind, reason)}`,
  ]);
  const rows = items.map((item) => ({
    row: [
      item.kind,
      item.id,
      inWords(item),
      ageInWords(item.since, writtenAt),
      item.orderId === null ? '' : `order ${item.orderId}`,
    ],
    url: itemUrl(publicUrl, item.kind, item.id),
  }));
  const left = count - items.length;
  const foot = [
    ...(left > 0 ? [`and ${left} more; makegood list <kind>s --needs-attention has all of them`] : []),
    'makegood explain <id> tells where the money is, why, and what each decision does.',
  ];
  return {
    subject,
    text: [
      ...head,
      '',
      ...whys,
      '',
      ...rows.flatMap(({ row, url }) => [row.filter(Boolean).join('  '), ...(url ? [`  ${url}`] : [])]),
      '',
      ...foot,
      '',
    ].join('\n'),
    html: page(subject, [
      ...paragraphs(head),
      ...paragraphs(whys),
      `<table cellpadding="4">${rows.map(({ row, url }) => tableRow(row, url)).join('')}</table>`,
      ...paragraphs(foot),
    ]),
  };
}

/** To try a destination: tells of no item. */
export function testMessage(id: string, writtenAt: string): { readonly body: string; readonly mail: Mail } {
  const words = 'This is a test of makegood notify: messages about money that needs a person arrive here.';
  return {
    body: JSON.stringify({ type: 'makegood.test', timestamp: writtenAt, data: { message_id: id, text: words } }),
    mail: {
      subject: '[Makegood] a test: nothing needs a person',
      text: `${words}\n`,
      html: page('A test', paragraphs([words])),
    },
  };
}

/** The page of one item in the console; null: PUBLIC_URL is not set. */
const itemUrl = (publicUrl: string | undefined, kind: ToldKind, id: string): string | null =>
  publicUrl === undefined ? null : publicUrl + pageOf(kind, id);

function pageOf(kind: ToldKind, id: string): string {
  if (kind === 'payout') return payoutsAddress();
  return isDrift(kind) ? driftAddress() : itemAddress(kind, id);
}

const isDrift = (kind: ToldKind): kind is `drift/${DriftKind}` => kind.startsWith('drift/');
const whyTold = (kind: ToldKind, reason: AttentionReason): string =>
  isDrift(kind) ? driftInWords[kind.slice('drift/'.length) as DriftKind] : whyAsked(kind, reason);
const runbookOfTold = (kind: ToldKind, reason: AttentionReason): string =>
  isDrift(kind) ? DRIFT_RUNBOOK : runbookOf(kind, reason);

const inWords = ({ amount, currency, decimals }: Pick<Total, 'amount' | 'currency' | 'decimals'>): string =>
  decimals === null
    ? `${amount} ${currency} (minor units)`
    : `${formatDecimal(BigInt(amount), decimals)} ${oneLine(currency)}`;

/** An asset's name comes from whoever posted the charge. */
const oneLine = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 80);

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

function ageInWords(since: string, at: string): string {
  const ms = Math.max(0, Date.parse(at) - Date.parse(since));
  const [name, size] = UNITS.find(([, unit]) => ms >= unit) ?? ['m', 60_000];
  return `${Math.floor(ms / size)} ${name}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const paragraphs = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => `<p>${escaped(line.trim())}</p>`);
const cell = (content: string): string => `<td>${content}</td>`;
const tableRow = ([kind = '', id = '', ...rest]: readonly string[], url: string | null): string =>
  `<tr>${cell(escaped(kind))}${cell(url ? `<a href="${escaped(url)}">${escaped(id)}</a>` : escaped(id))}${rest.map((text) => cell(escaped(text))).join('')}</tr>`;
const page = (title: string, parts: readonly string[]): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body>${parts.join('')}</body></html>`;
