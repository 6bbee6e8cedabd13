import type { JsonValue } from '../domain/json.js';
import { parseJson } from '../protocols/wire-json.js';

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

/**
 * The provider's words as they may be stored, logged and shown: without anything of what we sent, without anything that
 * looks like a token in another encoding, on one line, at most `maxLength` characters.
 * @param sent the request body; what is not under a member known to be public counts as secret
 */
export function redact(text: string, sent: string, maxLength: number): string {
  const cut = text.length > LONGEST_LOOKED_AT;
  // A cut through the middle of a token would leave a piece too short to recognise: drop the broken word.
  const looked = cut ? text.slice(0, LONGEST_LOOKED_AT).replace(/\S*$/, '') : text;
  // Plain ASCII only: no control characters in logs, no character that changes its length in lower case.
  const ascii = looked.replace(/[^\x20-\x7e]+/g, ' ');
  const line = maskTokens(maskSent(ascii, secretsOf(sent)))
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
  const secrets = secretsOf(sent);
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

function secretsOf(sent: string): readonly string[] {
  const secrets: string[] = [];
  const collect = (value: JsonValue | undefined, member: string): void => {
    if (typeof value === 'string') {
      if (!PUBLIC_MEMBERS.has(member) && value.length >= SHORTEST) secrets.push(value.toLowerCase());
    } else if (typeof value === 'object' && value !== null) {
      const inList = Array.isArray(value);
      for (const [key, inner] of Object.entries(value)) collect(inner, inList ? member : key);
    }
  };
  collect(parseJson(sent) ?? sent, '');
  return secrets;
}

/** Masks every stretch of `text` that also stands in a secret, whatever its case. */
function maskSent(text: string, secrets: readonly string[]): string {
  const lower = text.toLowerCase();
  const hidden = new Uint8Array(text.length);
  const haystack = secrets.join('\n');
  for (let at = 0; at + FRAGMENT <= lower.length; at += 1) {
    const fragment = lower.slice(at, at + FRAGMENT);
    if (haystack.includes(fragment)) hidden.fill(1, at, at + FRAGMENT);
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
