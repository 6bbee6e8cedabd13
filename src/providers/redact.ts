import type { JsonValue } from '../domain/json.js';
import { fromBase64, isObject, parseJson } from '../protocols/wire-json.js';

/** Parts of a credential this long are recognised wherever they stand in the provider's text. */
const FRAGMENT = 6;
/** A shorter secret is only recognised whole; below this, it is no secret. */
const SHORTEST = 4;
const LONGEST_LOOKED_AT = 2_000;
const MASK = '[redacted]';

/** Members of a body that are public by their nature: masking them would only make the provider's words unreadable. */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(
  `amount asset cap chainId currency description destinationAccountId from hash intent maxAmountRequired method mimeType
   network payTo paymentRequestId realm recipient resource scheme sourceAccountId to token_type unitType url
   validAfter validBefore value`.split(/\s+/),
);

/** Whatever stands under one of these is secret, however ordinary it looks. */
const SECRET_MEMBER = /authorization|credential|token|secret|passw|cookie|key$|signature|transaction/i;
/** One of the words that protocols are made of (`voucher`, `per_request`): it names a thing and opens nothing. */
const ORDINARY_WORDS = /^(?:[A-Z]?[a-z]{1,15}|[A-Z]{2,15})(?:[ _.-](?:[A-Z]?[a-z]{1,15}|[A-Z]{2,15})){0,5}$/;

/**
 * The provider's words as they may be stored, logged and shown: without anything of what we sent, without anything that
 * looks like a token in another encoding, on one line, at most `maxLength` characters.
 * @param sent the request body; its values count as secret where they are neither ordinary words nor under a member known
 *   to be public. Its vocabulary, the names of its members among it, stays readable.
 */
export function redact(text: string, sent: string, maxLength: number): string {
  const cut = text.length > LONGEST_LOOKED_AT;
  // A cut through the middle of a token would leave a piece too short to recognise: drop the broken word.
  const looked = cut ? text.slice(0, LONGEST_LOOKED_AT).replace(/\S*$/, '') : text;
  // Plain ASCII only: no control characters in logs, no character that changes its length in lower case.
  const ascii = looked.replace(/[^\x20-\x7e]+/g, ' ');
  const line = maskTokens(maskSent(ascii, contentOf(sent)))
    .replace(/(\[redacted\][^\sa-zA-Z0-9]*)+/g, `${MASK} `)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}

/** Long enough that two hashes do not share it by chance. */
const QUOTED = 16;

/** True where `text` repeats a long stretch, or the whole, of what we sent and what is not public by its nature. */
export function quotesSecret(text: string, sent: string): boolean {
  const lower = text.toLowerCase();
  const { secrets } = contentOf(sent);
  if (secrets.some((secret) => lower.includes(secret))) return true;
  const haystack = secrets.join('\n');
  for (let at = 0; at + QUOTED <= lower.length; at += 1) {
    if (haystack.includes(lower.slice(at, at + QUOTED))) return true;
  }
  return false;
}

/** A provider's short name for something, an error or a call of ours, as long as it does not repeat our key. */
export const unlessQuoting = (key: string, name: string | undefined): string | undefined =>
  name === undefined || quotesSecret(name, JSON.stringify({ key })) ? undefined : name;

interface Content {
  /** In lower case, as everything here. */
  readonly secrets: readonly string[];
  /** What the request says in public: names of members, public values, ordinary words. */
  readonly vocabulary: string;
}

function contentOf(sent: string): Content {
  const secrets: string[] = [];
  const words: string[] = [];
  const collect = (value: JsonValue | undefined, member: string, insideSecret: boolean): void => {
    if (typeof value === 'object' && value !== null) {
      const inList = Array.isArray(value);
      for (const [name, inner] of Object.entries(value)) {
        if (!inList) words.push(name.toLowerCase());
        collect(inner, inList ? member : name, insideSecret);
      }
      return;
    }
    if (typeof value !== 'string') return;
    const inner = structureIn(value);
    if (inner !== undefined) collect(inner, member, insideSecret || SECRET_MEMBER.test(member));
    // Text of a structure is its members, of which each is judged; what is encoded is secret as it stands, too.
    if (inner !== undefined && parseJson(value) !== undefined) return;
    if (PUBLIC_MEMBERS.has(member) || (!insideSecret && isOrdinary(member, value))) words.push(value.toLowerCase());
    else if (value.length >= SHORTEST) secrets.push(value.toLowerCase());
  };
  collect(parseJson(sent) ?? sent, '', false);
  return { secrets, vocabulary: words.join('\n') };
}

/** A credential inside a credential, as text or encoded. */
function structureIn(text: string): JsonValue | undefined {
  const inner = parseJson(text) ?? parseJson(fromBase64(text) ?? '');
  return isObject(inner) || Array.isArray(inner) ? inner : undefined;
}

/** A whole body that is no structure has no member: it is secret. */
const isOrdinary = (member: string, value: string): boolean =>
  member !== '' && !SECRET_MEMBER.test(member) && ORDINARY_WORDS.test(value);

/** Masks every stretch of `text` that also stands in a secret, whatever its case, and that the request does not say in public. */
function maskSent(text: string, { secrets, vocabulary }: Content): string {
  const lower = text.toLowerCase();
  const hidden = new Uint8Array(text.length);
  const haystack = secrets.join('\n');
  for (let at = 0; at + FRAGMENT <= lower.length; at += 1) {
    const fragment = lower.slice(at, at + FRAGMENT);
    if (haystack.includes(fragment) && !vocabulary.includes(fragment)) hidden.fill(1, at, at + FRAGMENT);
  }
  for (const secret of secrets) {
    if (secret.length >= FRAGMENT) continue;
    for (let at = lower.indexOf(secret); at >= 0; at = lower.indexOf(secret, at + 1))
      hidden.fill(1, at, at + secret.length);
  }
  let masked = '';
  for (let at = 0; at < text.length; at += 1) {
    if (hidden[at] === 0) masked += text.charAt(at);
    else if (at === 0 || hidden[at - 1] === 0) masked += MASK;
  }
  return masked;
}

/** Long unbroken runs that are no plain words: tokens, signatures and hashes, re-encoded or cut. */
function maskTokens(text: string): string {
  return text.replace(/[A-Za-z0-9+/=_.~%:-]{20,}/g, (run) =>
    /^[a-z]+([_.-][a-z0-9]{1,16})+[.:]?$/i.test(run) ? run : MASK,
  );
}
