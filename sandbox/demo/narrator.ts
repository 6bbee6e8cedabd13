/** Tells the story and keeps count of the promises that did not hold. */
export interface Narrator {
  chapter(title: string): void;
  say(line?: string): void;
  /** A promise of the product, and whether it held just now. */
  check(promise: string, held: boolean, facts?: string): void;
  readonly broken: readonly string[];
  readonly kept: number;
}

export function createNarrator(write: (line: string) => void): Narrator {
  const broken: string[] = [];
  let kept = 0;
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      write('');
      write(`${chapters}. ${title}`);
    },
    say: (line = '') => write(line === '' ? '' : `   ${line}`),
    check(promise, held, facts) {
      if (held) kept += 1;
      else broken.push(promise);
      write(`   ${held ? '✓' : '✗'} ${promise}${facts === undefined ? '' : ` (${facts})`}`);
    },
    broken,
    get kept() {
      return kept;
    },
  };
}
