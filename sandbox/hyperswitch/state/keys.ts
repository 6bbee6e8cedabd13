import { type Owner, SANDBOX_OWNER } from '../http/objects.js';

/** Whose each key is: a merchant's, and the profile that payments get where they name none. */
export interface Keys {
  ownerOf(apiKey: string | undefined): Owner | undefined;
  /** Undefined key: the one that the stand-in was started with. What is not said is the sandbox's own. */
  give(apiKey: string | undefined, owner: Partial<Owner>): void;
  /** Only the first key is left, and it is the sandbox's. */
  clear(): void;
}

export function createKeys(first: string): Keys {
  const owners = new Map<string, Owner>([[first, SANDBOX_OWNER]]);
  return {
    ownerOf: (apiKey) => (apiKey === undefined ? undefined : owners.get(apiKey)),
    give(apiKey = first, owner) {
      owners.set(apiKey, { ...SANDBOX_OWNER, ...owner });
    },
    clear() {
      owners.clear();
      owners.set(first, SANDBOX_OWNER);
    },
  };
}
