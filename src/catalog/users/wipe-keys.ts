import type { UserKeys } from '../../crypto/root-key.js';

/** The key objects of node:crypto cannot be overwritten; without a reference to them they are gone with the next collection. */
export function wipeKeys(keys: UserKeys): void {
  keys.catalogKey.fill(0);
  keys.directoryKey.fill(0);
}
