import { randomBytes } from 'node:crypto';
import { hashRaw } from '@node-rs/argon2';
import { concatBytes, u32, utf8 } from '../bytes.js';
import { assert, StorageError, wrapError } from '../errors.js';
import {
  MAX_ARGON2_LANES,
  MAX_ARGON2_MEMORY_KIB,
  MAX_ARGON2_PASSES,
  MAX_PASSPHRASE_BYTES,
  MIN_ARGON2_LANES,
  MIN_ARGON2_MEMORY_KIB,
  MIN_ARGON2_PASSES,
} from '../limits.js';
import { KEY_BYTES } from './kdf.js';
import { DERIVE } from './labels.js';
import {
  openRootKey,
  ownerBinding,
  sealRootKey,
  WRAP_SALT_BYTES,
  WRAP_SEALED_BYTES,
  type WrapKeys,
  wrapKeys,
  type WrapOwner,
} from './root-wrap.js';

export { WRAP_SALT_BYTES, WRAP_SEALED_BYTES, type WrapOwner } from './root-wrap.js';

/** Cost of Argon2id (RFC 9106). */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

export const DEFAULT_ARGON2_COST: Argon2Cost = {
  memoryKib: MIN_ARGON2_MEMORY_KIB,
  passes: MIN_ARGON2_PASSES,
  lanes: MIN_ARGON2_LANES,
};

/** A root key under a passphrase: may lie where anybody reads it. */
export interface Wrap extends Argon2Cost {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** Key commitment (32) ‖ root key under ChaCha20-Poly1305 (32) ‖ tag (16). */
  readonly sealed: Uint8Array;
}

/**
 * The floor and the ceiling of what a wrap may ask for.
 *
 * @throws StorageError PERMISSION_DENIED below the floor, UNSUPPORTED above the ceiling
 */
export function checkCost(cost: Argon2Cost): void {
  const bounds = [
    [cost.memoryKib, MIN_ARGON2_MEMORY_KIB, MAX_ARGON2_MEMORY_KIB],
    [cost.passes, MIN_ARGON2_PASSES, MAX_ARGON2_PASSES],
    [cost.lanes, MIN_ARGON2_LANES, MAX_ARGON2_LANES],
  ] as const;
  for (const [value, min, max] of bounds) {
    if (!Number.isSafeInteger(value) || value < min) {
      throw new StorageError(
        'PERMISSION_DENIED',
        'The stored passphrase settings are weaker than Shoal allows: somebody may have replaced them. The passphrase was not used.',
      );
    }
    if (value > max) {
      throw new StorageError(
        'UNSUPPORTED',
        'The stored passphrase settings ask for more work than Shoal allows. The passphrase was not used.',
      );
    }
  }
}

/** Whether two passphrases are the same to a wrap. */
export function isSamePassphrase(one: string, other: string): boolean {
  return one.normalize('NFKC') === other.normalize('NFKC');
}

/** NFKC, so that the same passphrase typed on another system gives the same bytes. */
function passphraseBytes(passphrase: string): Uint8Array {
  const bytes = utf8(passphrase.normalize('NFKC'));
  if (bytes.length === 0 || bytes.length > MAX_PASSPHRASE_BYTES) {
    throw new StorageError('INVALID_ARGUMENT', `A passphrase has 1 to ${String(MAX_PASSPHRASE_BYTES)} bytes in UTF-8.`);
  }
  return bytes;
}

/** User id ‖ version ‖ costs ‖ salt: fixed lengths, so that the concatenation is unambiguous. */
function binding(owner: WrapOwner, cost: Argon2Cost, salt: Uint8Array): Uint8Array {
  return concatBytes(ownerBinding(owner), u32(cost.memoryKib), u32(cost.passes), u32(cost.lanes), salt);
}

async function stretch(
  passphrase: Uint8Array,
  wrap: Omit<Wrap, 'sealed'>,
  owner: WrapOwner,
  signal: AbortSignal | undefined,
): Promise<WrapKeys> {
  const context = binding(owner, wrap, wrap.salt);
  signal?.throwIfAborted();
  let stretched: Uint8Array;
  try {
    // Argon2id is the default, its enum cannot be imported here, and a vector holds it. Runs in libuv's thread pool.
    stretched = await hashRaw(
      passphrase,
      {
        memoryCost: wrap.memoryKib,
        timeCost: wrap.passes,
        parallelism: wrap.lanes,
        outputLen: KEY_BYTES,
        salt: wrap.salt,
      },
      signal,
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw wrapError(error, 'stretching the passphrase');
  }
  return wrapKeys(stretched, DERIVE.wrap, context);
}

/**
 * Wraps a root key under a passphrase.
 *
 * @throws StorageError INVALID_ARGUMENT for an empty or oversized passphrase, PERMISSION_DENIED for a cost below the floor
 */
export async function wrapRootKey(
  passphrase: string,
  rootKey: Uint8Array,
  options: WrapOwner & { readonly cost?: Argon2Cost; readonly signal?: AbortSignal },
): Promise<Wrap> {
  assert(rootKey.length === KEY_BYTES, `a root key of ${String(rootKey.length)} bytes`);
  const { memoryKib, passes, lanes } = options.cost ?? DEFAULT_ARGON2_COST;
  const parameters = { memoryKib, passes, lanes, salt: randomBytes(WRAP_SALT_BYTES) };
  checkCost(parameters);
  const keys = await stretch(passphraseBytes(passphrase), parameters, options, options.signal);
  return { ...parameters, sealed: sealRootKey(keys, rootKey) };
}

/**
 * Opens a wrap from wherever it lay.
 *
 * @throws StorageError UNAUTHENTICATED for a wrong passphrase or an altered wrap, which cannot be told apart;
 *   PERMISSION_DENIED and UNSUPPORTED for costs out of bounds, CORRUPT for a wrap of the wrong shape, all before the
 *   passphrase is used
 */
export async function unwrapRootKey(
  passphrase: string,
  wrap: Wrap,
  options: WrapOwner & { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  if (wrap.salt.length !== WRAP_SALT_BYTES || wrap.sealed.length !== WRAP_SEALED_BYTES) {
    throw new StorageError('CORRUPT', 'The wrapped root key of this user is damaged. Restore it from a backup host.');
  }
  checkCost(wrap);
  const keys = await stretch(passphraseBytes(passphrase), wrap, options, options.signal);
  const rootKey = openRootKey(keys, wrap.sealed);
  if (rootKey === undefined) {
    throw new StorageError('UNAUTHENTICATED', 'The passphrase is wrong, or what it opens was altered.');
  }
  return rootKey;
}
