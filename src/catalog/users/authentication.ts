import { randomBytes } from 'node:crypto';
import { parseUserId, type UserId } from '../../chunk/ids.js';
import { kitSecret, type KitWrap, unwrapWithKit } from '../../crypto/kit.js';
import {
  type Argon2Cost,
  unwrapRootKey,
  type Wrap,
  WRAP_SALT_BYTES,
  WRAP_SEALED_BYTES,
} from '../../crypto/passphrase.js';
import { StorageError } from '../../errors.js';
import { MAX_NAMESAKES, MAX_USER_NAME_CHARS } from '../../limits.js';
import { UnlockAttempts } from './attempts.js';
import { KeyRing } from './key-ring.js';
import type { UserDocument } from './user-document.js';
import type { UserRecords } from './user-records.js';

/** A user, and the root key that the right secret opened. */
export interface Authenticated {
  readonly user: UserDocument;
  readonly rootKey: Uint8Array;
  readonly ring: KeyRing;
}

const WRONG_PASSPHRASE = 'There is no such user, or the passphrase is wrong.';
const WRONG_KIT = 'There is no such user, or these are not the words of its newest recovery kit.';

interface Secrets {
  readonly owner: UserId;
  readonly version: number;
  readonly wrap: Wrap;
  readonly kit?: KitWrap;
}

/** Whose secret opens what. Not to be called twice at once: stretching takes memory, and guesses have to be counted. */
export class Authentication {
  readonly #records: UserRecords;
  readonly #attempts: UnlockAttempts;
  /** What an unknown name is tried against, so that the answer takes as long as for a known one. */
  readonly #decoy: Secrets & { readonly kit: KitWrap };

  constructor(records: UserRecords, options: { readonly cost: Argon2Cost; readonly now: () => number }) {
    this.#records = records;
    this.#attempts = new UnlockAttempts(options.now);
    const random = (): { salt: Uint8Array; sealed: Uint8Array } => {
      return { salt: randomBytes(WRAP_SALT_BYTES), sealed: randomBytes(WRAP_SEALED_BYTES) };
    };
    const version = 1;
    const owner = parseUserId(randomBytes(32));
    this.#decoy = { owner, version, wrap: { ...options.cost, ...random() }, kit: { version, ...random() } };
  }

  /**
   * @param use the keys are its own to keep or wipe; the root key is wiped when it ends
   * @throws StorageError UNAUTHENTICATED for an unknown name or a wrong passphrase, which cannot be told apart;
   *   UNAVAILABLE after too many of them
   */
  byPassphrase<T>(name: string, passphrase: string, use: (user: Authenticated) => Promise<T>): Promise<T> {
    return this.#open(name, WRONG_PASSPHRASE, use, ({ owner, version, wrap }) =>
      unwrapRootKey(passphrase, wrap, { user: owner, version }),
    );
  }

  /** As byPassphrase. @throws StorageError INVALID_ARGUMENT for what are no words of a kit */
  byKit<T>(name: string, words: string, use: (user: Authenticated) => Promise<T>): Promise<T> {
    // Before the name is looked at, so that a slip of the pen is told and costs no attempt.
    kitSecret(words).fill(0);
    return this.#open(name, WRONG_KIT, use, ({ owner, kit = this.#decoy.kit }) => unwrapWithKit(words, kit, owner));
  }

  async #open<T>(
    name: string,
    wrong: string,
    use: (user: Authenticated) => Promise<T>,
    open: (secrets: Secrets) => Promise<Uint8Array> | Uint8Array,
  ): Promise<T> {
    const asked = name.slice(0, MAX_USER_NAME_CHARS + 1);
    this.#attempts.check(asked);
    const opened = await this.#openAny(await this.#candidates(asked), open);
    if (opened === undefined) {
      this.#attempts.failed(asked);
      throw new StorageError('UNAUTHENTICATED', wrong);
    }
    this.#attempts.succeeded(asked);
    const { user, rootKey } = opened;
    try {
      const ring = KeyRing.open(user, rootKey);
      return await use({ user, rootKey, ring });
    } finally {
      rootKey.fill(0);
    }
  }

  /** @throws StorageError CONFLICT when so many have that name that trying them all would be work for an attacker's sake */
  async #candidates(name: string): Promise<readonly UserDocument[]> {
    const known = await this.#records.usersNamed(name);
    if (known.length <= MAX_NAMESAKES) return known.map(({ user }) => user);
    throw new StorageError(
      'CONFLICT',
      `${String(known.length)} users are called ${name}. Give the id of the user instead: \`shoal user list --json\` shows it.`,
    );
  }

  /** The one among users of one name whose secret it is: no member can take another's name away by using it too. */
  async #openAny(
    candidates: readonly UserDocument[],
    open: (secrets: Secrets) => Promise<Uint8Array> | Uint8Array,
  ): Promise<{ readonly user: UserDocument; readonly rootKey: Uint8Array } | undefined> {
    for (const user of candidates) {
      const rootKey = await tryOpen(() => open(user));
      if (rootKey !== undefined) return { user, rootKey };
    }
    if (candidates.length === 0) await tryOpen(() => open(this.#decoy));
    return undefined;
  }
}

async function tryOpen(open: () => Promise<Uint8Array> | Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await open();
  } catch (error) {
    if (!StorageError.is(error, 'UNAUTHENTICATED')) throw error;
    return undefined;
  }
}
