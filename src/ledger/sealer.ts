import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Encryption keys by id; the first one encrypts, all of them decrypt. */
export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export interface Sealed {
  readonly bytes: Buffer;
  readonly keyId: string;
}

/** Where a secret stands. It opens nowhere else: a ciphertext copied to another row or column is refused. */
export interface Place {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

export interface Sealer {
  readonly currentKeyId: string;
  readonly keyIds: readonly string[];
  seal(secret: string, place: Place): Sealed;
  /** @throws when the key is not configured, or the ciphertext was altered or moved. */
  open(sealed: Sealed, place: Place): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM; layout: 12 bytes IV, 16 bytes tag, ciphertext. @throws on an empty or malformed set of keys. */
export function createSealer(keys: readonly SealingKey[]): Sealer {
  const [current] = keys;
  if (!current) throw new Error('no encryption key: set CREDENTIAL_ENCRYPTION_KEY=1:<32 bytes in base64>');
  const byId = new Map(keys.map((entry) => [entry.id, entry.key]));
  for (const { id, key } of keys)
    if (key.length !== 32) throw new Error(`encryption key ${id} has ${key.length} bytes, 32 are needed`);
  return {
    currentKeyId: current.id,
    keyIds: keys.map((entry) => entry.id),
    seal(secret, place) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(binding(place, current.id));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return { bytes: Buffer.concat([iv, cipher.getAuthTag(), text]), keyId: current.id };
    },
    open({ bytes, keyId }, place) {
      const key = byId.get(keyId);
      if (!key)
        throw new Error(`encryption key ${keyId} is needed and not configured: add it to CREDENTIAL_ENCRYPTION_KEY`);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(binding(place, keyId))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

const binding = ({ table, row, column }: Place, keyId: string): Buffer =>
  Buffer.from(JSON.stringify(['makegood', keyId, table, row, column]));
