import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../sandbox/stack/project-root.js';

export const readDocument = (path: string): string => readFileSync(join(projectRoot(), path), 'utf8');

/** Every page below a folder of the project, by its path from the project's root. */
export const pagesIn = (folder: string): string[] =>
  readdirSync(join(projectRoot(), folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

/** The lines of every block of code and every word in code of a page, each as a shell would read it: continued ones as one. */
export function codeIn(text: string): string[] {
  return [...text.matchAll(/```\w*\n([\s\S]*?)```|`([^`]+)`/g)].flatMap(([, block, word]) =>
    block === undefined ? [(word ?? '').replaceAll(/\s+/g, ' ')] : block.replaceAll(/\\\n\s*/g, ' ').split('\n'),
  );
}

/** The cells of every row of the tables in a page; heads and rules are no rows. */
export function rowsIn(text: string): string[][] {
  return text
    .split('\n')
    .filter((line, nth, lines) => line.trim().startsWith('|') && !isRule(line) && !isRule(lines[nth + 1] ?? ''))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
const isRule = (line: string): boolean => /^\s*\|[\s|:-]+\|\s*$/.test(line);
