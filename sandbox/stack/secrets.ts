import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Made once per stack directory: what is encrypted or signed with them must be readable after the next start. */
export interface StackSecrets {
  readonly databasePassword: string;
  /** base64, 32 bytes. */
  readonly credentialKey: string;
  readonly mppSecretKey: string;
  /** Settles channels on the sandbox's chain. */
  readonly tempoPayeeKey: string;
  readonly tokens: {
    readonly service: string;
    readonly viewer: string;
    readonly operator: string;
    readonly approver: string;
  };
}

export function stackSecrets(directory: string): StackSecrets {
  const file = join(directory, 'secrets.json');
  const kept: Partial<StackSecrets> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  // A directory of an earlier version has fewer of them.
  const secrets = { ...makeSecrets(), ...kept };
  writePrivately(file, secrets);
  return secrets;
}

/** Whole or not at all, and for the owner's eyes only. */
export function writePrivately(file: string, content: object): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

const random = () => randomBytes(24).toString('hex');

function makeSecrets(): StackSecrets {
  return {
    databasePassword: random(),
    credentialKey: randomBytes(32).toString('base64'),
    mppSecretKey: random(),
    tempoPayeeKey: `0x${randomBytes(32).toString('hex')}`,
    tokens: { service: random(), viewer: random(), operator: random(), approver: random() },
  };
}
