/**
 * For what is dear to read and asked for by many at once: one reading at a time for all of them. Who asks while one is at work is
 * answered by the next, together with all who ask meanwhile, so nobody is told what was true before he asked.
 */
export function oneAtATime<Answer>(read: () => Promise<Answer>): () => Promise<Answer> {
  let now: Promise<Answer> | undefined;
  let next: Promise<Answer> | undefined;
  const begin = (): Promise<Answer> => {
    const begun = read().finally(() => {
      if (now === begun) now = undefined;
    });
    now = begun;
    return begun;
  };
  return () => {
    if (now === undefined) return begin();
    next ??= now
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}
