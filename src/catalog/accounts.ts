import { randomBytes } from 'node:crypto';
import { parseUserId, type UserId } from '../chunk/ids.js';
import { equalBytes } from '../bytes.js';
import {
  type Argon2Cost,
  DEFAULT_ARGON2_COST,
  unwrapRootKey,
  type Wrap,
  WRAP_SALT_BYTES,
  WRAP_SEALED_BYTES,
  wrapRootKey,
} from '../crypto/passphrase.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import { MAX_USER_NAME_CHARS, MAX_WAITING_UNLOCKS } from '../limits.js';
import { UnlockAttempts } from './attempts.js';
import type { KnownUser, NetworkDocuments } from './network-documents.js';
import { Serial } from './serial.js';
import { checkUserName, readUser, type UserDocument, writeUser } from './user-document.js';
import { wipeKeys } from './wipe-keys.js';

/** The wrap is bound to this number; a changed passphrase takes the next. */
const FIRST_VERSION = 1;

export interface AccountsOptions {
  readonly cost?: Argon2Cost;
  /** Unix time. */
  readonly now: () => number;
}

/** Users and their passphrases: who exists, and whose root key a passphrase opens. */
export class Accounts {
  readonly #network: NetworkDocuments;
  readonly #cost: Argon2Cost;
  readonly #now: () => number;
  readonly #attempts: UnlockAttempts;
  readonly #serial = new Serial(MAX_WAITING_UNLOCKS);
  /** What an unknown name is tried against, so that the answer takes as long as for a known one. */
  readonly #decoy: { readonly owner: UserId; readonly version: number; readonly wrap: Wrap };

  constructor(network: NetworkDocuments, options: AccountsOptions) {
    this.#network = network;
    this.#cost = options.cost ?? DEFAULT_ARGON2_COST;
    this.#now = options.now;
    this.#attempts = new UnlockAttempts(options.now);
    const wrap = { ...this.#cost, salt: randomBytes(WRAP_SALT_BYTES), sealed: randomBytes(WRAP_SEALED_BYTES) };
    this.#decoy = { owner: parseUserId(randomBytes(32)), version: FIRST_VERSION, wrap };
  }

  /** @throws StorageError ALREADY_EXISTS for a taken name */
  create(name: string, passphrase: string): Promise<UserDocument> {
    checkUserName(name);
    return this.#serial.run(async () => {
      await this.#demandFree(name);
      const rootKey = newRootKey();
      const keys = deriveUserKeys(rootKey);
      try {
        const owner = parseUserId(userId(keys.signing.publicKey));
        const wrap = await wrapRootKey(passphrase, rootKey, { user: owner, version: FIRST_VERSION, cost: this.#cost });
        const sharingKey = keys.sharing.publicKey;
        const user = { owner, name, version: FIRST_VERSION, sharingKey, wrap, createdMs: this.#now() };
        await this.#network.setUser(owner, writeUser(user, keys));
        return { ...user, publicKey: keys.signing.publicKey };
      } finally {
        rootKey.fill(0);
        wipeKeys(keys);
      }
    });
  }

  /** @throws StorageError NOT_FOUND */
  async export(name: string): Promise<Uint8Array> {
    const known = await this.#network.userNamed(name);
    if (known === undefined) throw new StorageError('NOT_FOUND', `This peer knows no user ${name}.`);
    return known.signed;
  }

  /** Keeps the newer of two documents of one user. @throws StorageError as readUser; ALREADY_EXISTS for a taken name */
  import(signed: Uint8Array): Promise<UserDocument> {
    const user = readUser(signed);
    return this.#serial.run(async () => {
      const known = await this.#network.user(user.owner);
      if (known !== undefined && known.user.version >= user.version) return known.user;
      if (known?.user.name !== user.name) await this.#demandFree(user.name);
      await this.#network.setUser(user.owner, signed);
      return user;
    });
  }

  /**
   * @returns the user's keys, which are the caller's to wipe
   * @throws StorageError UNAUTHENTICATED for an unknown name or a wrong passphrase, which cannot be told apart;
   *   UNAVAILABLE after too many of them
   */
  async unlock<T>(
    name: string,
    passphrase: string,
    use: (user: UserDocument, keys: UserKeys) => Promise<T>,
  ): Promise<T> {
    return this.#serial.run(async () => {
      const asked = name.slice(0, MAX_USER_NAME_CHARS + 1);
      this.#attempts.check(asked);
      const known = await this.#network.userNamed(asked);
      const rootKey = await this.#openWrap(known, passphrase, asked);
      if (known === undefined || rootKey === undefined) {
        throw new StorageError('UNAUTHENTICATED', 'There is no such user, or the passphrase is wrong.');
      }
      const keys = deriveUserKeys(rootKey);
      rootKey.fill(0);
      if (!equalBytes(keys.signing.publicKey, known.user.publicKey)) {
        wipeKeys(keys);
        throw new StorageError('CORRUPT', 'The passphrase opens the key of another user. Import this user again.');
      }
      return use(known.user, keys);
    });
  }

  async #openWrap(known: KnownUser | undefined, passphrase: string, name: string): Promise<Uint8Array | undefined> {
    const { owner, version, wrap } = known?.user ?? this.#decoy;
    try {
      const rootKey = await unwrapRootKey(passphrase, wrap, { user: owner, version });
      this.#attempts.succeeded(name);
      return rootKey;
    } catch (error) {
      if (!StorageError.is(error, 'UNAUTHENTICATED')) throw error;
      this.#attempts.failed(name);
      return undefined;
    }
  }

  async #demandFree(name: string): Promise<void> {
    if ((await this.#network.userNamed(name)) === undefined) return;
    throw new StorageError('ALREADY_EXISTS', `There is a user ${name} already. Choose another name.`);
  }
}
