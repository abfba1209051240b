import { toHex } from '../../bytes.js';
import type { UserId } from '../../chunk/ids.js';
import { unwrapRootKey } from '../../crypto/passphrase.js';
import { StorageError } from '../../errors.js';
import { Signed, UserBody } from '../../gen/shoal/v1/format.js';
import type { UserRecords } from './user-records.js';

type StoredWrap = NonNullable<UserBody['wrap']> & { readonly version: number };

/** Whatever can be decoded counts, also what nobody signed: an old wrap opens all the same. */
function wrapIn(signed: Uint8Array): StoredWrap | undefined {
  try {
    const { wrap, version } = UserBody.decode(Signed.decode(signed).body);
    return wrap === undefined ? undefined : { ...wrap, version };
  } catch {
    // No user document, hence no wrap.
    return undefined;
  }
}

async function opens(passphrase: string, user: UserId, { version, ...wrap }: StoredWrap): Promise<boolean> {
  try {
    (await unwrapRootKey(passphrase, wrap, { user, version })).fill(0);
    return true;
  } catch (error) {
    if (StorageError.is(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNSUPPORTED', 'CORRUPT')) return false;
    throw error;
  }
}

/**
 * Tries a passphrase that was given up against everything of its user that this peer can still read.
 *
 * @throws StorageError CONFLICT when it opens anything
 */
export async function proveRetired(records: UserRecords, user: UserId, passphrase: string): Promise<void> {
  const wraps = new Map<string, StoredWrap>();
  for (const signed of await records.userTexts(user)) {
    const wrap = wrapIn(signed);
    if (wrap !== undefined && wrap.version > 0) wraps.set(`${String(wrap.version)} ${toHex(wrap.sealed)}`, wrap);
  }
  for (const wrap of wraps.values()) {
    if (!(await opens(passphrase, user, wrap))) continue;
    throw new StorageError(
      'CONFLICT',
      'The new passphrase is valid, but the old one still opens a copy of the key that this peer holds. Change the passphrase once more.',
    );
  }
}
