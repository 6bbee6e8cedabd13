import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { projectRoot } from '../../sandbox/stack/project-root.js';

export interface SourceImport {
  /** As written; for our own files the path of the TypeScript source from the project's root. */
  readonly target: string;
  readonly own: boolean;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly SourceImport[];
}

/** Every TypeScript file below the given folders, with what it imports and re-exports, types told from values. */
export function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) => sourcePaths(folder).map((path) => readSource(projectRoot(), path)));
}

/** The same by their paths from the project's root; what is installed below a folder is nobody's source here. */
export function sourcePaths(folder: string): string[] {
  return readdirSync(join(projectRoot(), folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcePaths(path);
      return entry.isFile() && /\.tsx?$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const { module, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const written = [
    ...module.staticImports.map((one) => ({
      target: one.moduleRequest.value,
      // `import { type A }` still loads the file at run time; only `import type` does not
      typeOnly: /^import\s+type\b/.test(text.slice(one.start, one.end)),
    })),
    ...module.staticExports
      .flatMap((one) => one.entries)
      .filter((entry) => entry.moduleRequest !== null)
      .map((entry) => ({ target: entry.moduleRequest?.value ?? '', typeOnly: entry.isType })),
    ...module.dynamicImports.map((one) => ({
      target: text.slice(one.moduleRequest.start, one.moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
      typeOnly: false,
    })),
  ];
  return { path, text, imports: written.map((one) => resolve(path, one)) };
}

function resolve(from: string, { target, typeOnly }: { target: string; typeOnly: boolean }): SourceImport {
  if (!target.startsWith('.')) return { target, own: false, typeOnly };
  const compiled = posix.join(dirname(from), target);
  const path = compiled.replace(
    /\.js$/,
    existsSync(join(projectRoot(), compiled.replace(/\.js$/, '.tsx'))) ? '.tsx' : '.ts',
  );
  return { target: path, own: true, typeOnly };
}

/** Files that reach each other by their imports: each circle in the order of its paths. */
export function circlesOf(files: readonly SourceFile[]): string[][] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, imports.flatMap((one) => (one.own ? [one.target] : []))]),
  );
  const reached = new Map<string, ReadonlySet<string>>();
  const reachedFrom = (start: string): ReadonlySet<string> => {
    const known = reached.get(start);
    if (known) return known;
    const seen = new Set<string>();
    const open = [start];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      for (const target of targets.get(path) ?? []) {
        if (seen.has(target)) continue;
        seen.add(target);
        open.push(target);
      }
    }
    reached.set(start, seen);
    return seen;
  };
  const circles = new Map<string, string[]>();
  for (const path of targets.keys()) {
    if (!reachedFrom(path).has(path)) continue;
    const circle = [...reachedFrom(path)].filter((other) => reachedFrom(other).has(path)).sort();
    circles.set(circle.join(), circle);
  }
  return [...circles.values()];
}

/** Every function of a file, nested ones too, by the place it begins at and its lines from the first to the last. */
export function functionsOf({ path, text }: Pick<SourceFile, 'path' | 'text'>): { at: string; lines: number }[] {
  const found: { at: string; lines: number }[] = [];
  const linesOf = (from: number, to: number) => text.slice(from, to).split('\n').length;
  const note = ({ start, end }: { start: number; end: number }) => {
    found.push({ at: `${path}:${linesOf(0, start)}`, lines: linesOf(start, end) });
  };
  new Visitor({ FunctionDeclaration: note, FunctionExpression: note, ArrowFunctionExpression: note }).visit(
    parseSync(path, text).program,
  );
  return found;
}
