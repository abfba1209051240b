import { equalBytes } from '../../bytes.js';
import { openFormerKeys } from '../../crypto/former-keys.js';
import { deriveUserKeys, type UserKeys } from '../../crypto/root-key.js';
import type { Signer } from '../../crypto/succession.js';
import { StorageError } from '../../errors.js';
import { signingKeyOf, type UserDocument } from './user-document.js';
import { wipeKeys } from './wipe-keys.js';

/** All keys of an unlocked user: those of the present generation, and those that open what older ones sealed. */
export class KeyRing {
  readonly generation: number;
  /** Signs labels, grants and orders, in the name of the user for ever. */
  readonly signer: Signer;
  /** Of the generations 1, 2, … in order; the last is the present one. */
  readonly #keys: readonly UserKeys[];

  private constructor(user: UserDocument, keys: readonly UserKeys[], current: UserKeys) {
    this.generation = user.generation;
    this.#keys = keys;
    this.signer = { privateKey: current.signing.privateKey, publicKey: user.publicKey, links: user.links };
  }

  /**
   * @param rootKey of the document's generation; the caller's to wipe
   * @throws StorageError CORRUPT when it is another user's, or a former key is not the one that the chain names
   */
  static open(user: UserDocument, rootKey: Uint8Array): KeyRing {
    const current = deriveUserKeys(rootKey);
    const keys: UserKeys[] = [];
    try {
      check(user, current, user.generation);
      for (const former of openFormerKeys(user.owner, user.former, rootKey)) {
        keys.push(deriveUserKeys(former));
        former.fill(0);
      }
      for (const [index, former] of keys.entries()) check(user, former, index + 1);
      keys.push(current);
      return new KeyRing(user, keys, current);
    } catch (error) {
      for (const opened of [...keys, current]) wipeKeys(opened);
      throw error;
    }
  }

  get current(): UserKeys {
    return this.of(this.generation);
  }

  /** @throws StorageError NOT_FOUND for a generation that is not there yet */
  of(generation: number): UserKeys {
    const keys = this.#keys[generation - 1];
    if (keys !== undefined) return keys;
    throw new StorageError(
      'NOT_FOUND',
      `This user has no keys of generation ${String(generation)} here. Try again when a backup host was reached.`,
    );
  }

  /** For whoever wipes its keys by itself. @throws StorageError as `of` */
  copyOf(generation: number): UserKeys {
    const { catalogKey, directoryKey, ...pairs } = this.of(generation);
    return { ...pairs, catalogKey: Uint8Array.from(catalogKey), directoryKey: Uint8Array.from(directoryKey) };
  }

  wipe(): void {
    for (const keys of this.#keys) wipeKeys(keys);
  }
}

function check(user: UserDocument, keys: UserKeys, generation: number): void {
  const expected = signingKeyOf(user, generation);
  if (expected !== undefined && equalBytes(keys.signing.publicKey, expected)) return;
  throw new StorageError('CORRUPT', 'What was opened is the key of another user. Import this user again.');
}
