/** Words of 32 bits that are kept of a digest: 128 bits, which nobody meets twice. */
const WORDS = 4;
const HEX_PER_WORD = 8;

/** A set of SHA-256 digests in hexadecimal for millions of them: some 30 bytes each, where a `Set` of texts takes a hundred. */
export function createDigestSet() {
  let table = new Uint32Array(1_024 * WORDS);
  let size = 0;
  const wordsOf = (digest: string): Uint32Array =>
    Uint32Array.from({ length: WORDS }, (_, nth) =>
      Number.parseInt(digest.slice(nth * HEX_PER_WORD, (nth + 1) * HEX_PER_WORD), 16),
    );

  /** Where it stands, or would. */
  function placeOf(words: Uint32Array): { readonly at: number; readonly there: boolean } {
    for (let at = ((words[0] ?? 0) * WORDS) % table.length; ; at = (at + WORDS) % table.length) {
      const found = table.subarray(at, at + WORDS);
      if (found.every((word) => word === 0)) return { at, there: false };
      if (found.every((word, nth) => word === words[nth])) return { at, there: true };
    }
  }

  function put(words: Uint32Array): void {
    const { at, there } = placeOf(words);
    if (there) return;
    table.set(words, at);
    size += 1;
  }

  return {
    add(digest: string): void {
      if (size * WORDS * 2 > table.length) {
        const full = table;
        table = new Uint32Array(full.length * 2);
        size = 0;
        for (let at = 0; at < full.length; at += WORDS) {
          const words = full.subarray(at, at + WORDS);
          if (words.some((word) => word !== 0)) put(words);
        }
      }
      put(wordsOf(digest));
    },
    has: (digest: string): boolean => placeOf(wordsOf(digest)).there,
    size: () => size,
  };
}
