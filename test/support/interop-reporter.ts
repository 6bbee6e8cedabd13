import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { INTEROP_FOLDER, INTEROP_PAGE, interopPage, interopTests, type Tried } from './interop-table.js';

const OUTCOMES = { passed: 'held', failed: 'failed', skipped: 'not tried', pending: 'not tried' } as const;

/** Writes what the suite found; what is not the whole of it is not written. */
export default class InteropReporter implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!this.vitest) return;
    const { root, testNamePattern } = this.vitest.config;
    const files = modules
      .map(({ moduleId }) => relative(root, moduleId))
      .filter((file) => file.startsWith(INTEROP_FOLDER));
    const tried = modules.flatMap((module) =>
      Array.from(
        module.children.allTests(),
        (test): Tried => ({
          file: relative(root, module.moduleId),
          titles: titlesOf(test),
          outcome: OUTCOMES[test.result().state],
        }),
      ),
    );
    const missing = interopTests().filter((file) => !tried.some((one) => one.file === file));
    if (testNamePattern !== undefined || missing.length > 0 || tried.some(({ outcome }) => outcome === 'not tried')) {
      console.log(`${INTEROP_PAGE} was not written: ${missing.join(', ') || 'tests were passed over'}`);
      process.exitCode = 1;
      return;
    }
    const order = (one: Tried, other: Tried) => files.sort().indexOf(one.file) - files.indexOf(other.file);
    writeFileSync(join(root, INTEROP_PAGE), interopPage(tried.sort(order)));
    console.log(`${INTEROP_PAGE}: ${tried.length} promises`);
  }
}

function titlesOf(test: TestCase): string[] {
  const titles = [test.name];
  for (let { parent } = test; parent.type === 'suite'; { parent } = parent) titles.unshift(parent.name);
  return titles;
}
