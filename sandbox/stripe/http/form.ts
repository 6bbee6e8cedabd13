/** One level of brackets is all that the endpoints here take: `metadata[order_id]`, `created[gte]`, `expand[0]`. */
export type FormValue = string | ReadonlyMap<string, string>;
/** In the order of the wire; an empty inner name stands for `name[]`. */
export type FormPairs = readonly (readonly [string, string])[];

export const readPairs = (text: string): FormPairs => Array.from(new URLSearchParams(text));

const BRACKETED = /^([^[\]]+)\[([^[\]]*)\]$/;

/** Gathers `a[b]=c` under `a`; a name that comes twice keeps its last value. */
export function readForm(pairs: FormPairs): ReadonlyMap<string, FormValue> {
  const form = new Map<string, string | Map<string, string>>();
  for (const [name, value] of pairs) {
    const [, outer, inner] = BRACKETED.exec(name) ?? [];
    if (outer === undefined || inner === undefined) {
      form.set(name, value);
      continue;
    }
    const before = form.get(outer);
    const group = before instanceof Map ? before : new Map<string, string>();
    group.set(inner === '' ? String(group.size) : inner, value);
    form.set(outer, group);
  }
  return form;
}

/** The same for the same parameters, in whatever order they come: what an idempotency key is compared by. */
export function canonical(pairs: FormPairs): string {
  const texts = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return texts.sort().join('&');
}
