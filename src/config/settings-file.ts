import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.js';
import type { Environment } from './config-variables.js';

/**
 * The environment with the lines of the file that `SETTINGS_FILE` names, in the form of .env.template; a line of the file wins.
 * @throws ConfigError where it cannot be read
 */
export function withSettingsFile(env: Environment): Environment {
  const { SETTINGS_FILE } = env;
  if (!SETTINGS_FILE) return env;
  return { ...env, ...parseEnv(contentOf(SETTINGS_FILE)), SETTINGS_FILE };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? (error.message.split(',')[0] ?? '') : 'unknown reason';
    throw new ConfigError([
      {
        variable: 'SETTINGS_FILE',
        problem: `names a file that cannot be read (${why})`,
        example: '/etc/makegood/settings.env',
      },
    ]);
  }
}
