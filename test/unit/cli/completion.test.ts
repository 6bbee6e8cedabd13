import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { LISTED } from '../../../src/cli/showing/listings.js';
import { REVERSAL_STATUSES } from '../../../src/domain/marketplace/marketplace-status.js';
import { PAUSABLE } from '../../../src/domain/provider-pauses.js';
import { runMakegood } from '../../support/cli.js';

async function completion(shell: string, ...options: readonly string[]): Promise<string> {
  const out: string[] = [];
  const clock = { nowMs: () => 0 };
  await runMakegood(['completion', shell, ...options], {
    env: {},
    clock,
    out: (line) => out.push(line),
    err: () => undefined,
  });
  return out.join('\n');
}

let script: string;
beforeAll(async () => {
  script = await completion('bash');
});

/** What bash itself offers after these words, the last of which is being typed. */
function offered(...typed: readonly string[]): readonly string[] {
  const ask = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _makegood; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask, 'bash', 'makegood', ...typed], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('makegood completion bash', () => {
  it('offers commands, and those that begin as typed', () => {
    expect(offered('')).toEqual(
      expect.arrayContaining(['list', 'show', 'explain', 'doctor', 'pause', 'resume', '--help']),
    );
    expect(offered('ex')).toEqual(['explain', 'export']);
  });

  it('offers kinds, options, statuses and providers, each where it stands', () => {
    expect(offered('list', '')).toEqual(expect.arrayContaining([...LISTED, '--status', '--needs-attention']));
    expect(offered('list', 'rev')).toEqual(['reversals']);
    expect(offered('list', 'reversals', '--nee')).toEqual(['--needs-attention']);
    expect(offered('list', 'reversals', '--status', '')).toEqual(expect.arrayContaining([...REVERSAL_STATUSES]));
    expect(offered('list', '--protocol', 'x')).toEqual(['x402']);
    expect(offered('pause', '').filter((word) => !word.startsWith('--'))).toEqual([...PAUSABLE]);
    expect(offered('retry-all', 'reversals', '--reason', 'balance')).toEqual(['balance_horizon']);
  });

  it('offers nothing of its own where anything may be typed', () => {
    expect(offered('list', '--key', '')).toEqual([]);
    expect(offered('resolve', 'x', '--note', '')).toEqual([]);
  });
});

describe('makegood completion', () => {
  it('prints the same for zsh and fish, and as data', async () => {
    expect(await completion('zsh')).toContain('bashcompinit');
    const fish = await completion('fish');
    expect(fish).toContain(`complete -c makegood -f -n '__fish_use_subcommand' -a 'explain' -d 'in plain words'`);
    expect(fish).toMatch(/__fish_seen_subcommand_from list' -l 'status' -x -a '[^']*permanently_failed/);
    const { commands } = JSON.parse(await completion('bash', '--json'));
    expect(commands.map(({ name }: { name: string }) => name)).toContain('completion');
  });
});
