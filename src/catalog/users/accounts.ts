import { equalBytes } from '../../bytes.js';
import { parseUserId, type PeerId, type UserId } from '../../chunk/ids.js';
import { sealFormerKeys, openFormerKeys } from '../../crypto/former-keys.js';
import { type KitWrap, newKitWords, wrapUnderKit } from '../../crypto/kit.js';
import { type Argon2Cost, DEFAULT_ARGON2_COST, isSamePassphrase, wrapRootKey } from '../../crypto/passphrase.js';
import { deriveUserKeys, newRootKey, userId } from '../../crypto/root-key.js';
import { linkTo, type Signer } from '../../crypto/succession.js';
import { StorageError } from '../../errors.js';
import { MAX_SSH_KEYS, MAX_WAITING_UNLOCKS } from '../../limits.js';
import { type Authenticated, Authentication } from './authentication.js';
import { KeyRing } from './key-ring.js';
import { proveRetired } from './retired-passphrase.js';
import { Serial } from '../serial.js';
import { formatFingerprint, parseSshKey, type SshKey } from './ssh-key.js';
import { checkUserName, isSuccessor, readUser, userCounter, type UserDocument, writeUser } from './user-document.js';
import type { UserRecords } from './user-records.js';
import { wipeKeys } from './wipe-keys.js';

const FIRST = 1;

export interface AccountsOptions {
  readonly cost?: Argon2Cost;
  /** Unix time. */
  readonly now: () => number;
}

/** A recovery kit as it is shown, once. */
export interface RecoveryKit {
  readonly user: UserDocument;
  readonly words: readonly string[];
  readonly createdMs: number;
}

/** What a user's SSH keys are to be, of those before. @throws StorageError when it cannot be */
type SshKeysChange = (keys: readonly SshKey[]) => readonly SshKey[];

/** Called when a change is valid, before anybody else can unlock: what the caller holds open has to follow. */
type OnChanged<T> = (changed: T) => Promise<void> | void;

/** A user whose keys were rotated: the new keys are for whoever is told. */
export interface Rotated {
  readonly user: UserDocument;
  readonly ring: KeyRing;
}

/** Users and their secrets: who exists, whose root key a passphrase or a kit opens, and how these are replaced. */
export class Accounts {
  readonly #records: UserRecords;
  readonly #cost: Argon2Cost;
  readonly #now: () => number;
  readonly #authentication: Authentication;
  readonly #serial = new Serial(MAX_WAITING_UNLOCKS);

  constructor(records: UserRecords, options: AccountsOptions) {
    this.#records = records;
    this.#cost = options.cost ?? DEFAULT_ARGON2_COST;
    this.#now = options.now;
    this.#authentication = new Authentication(records, { cost: this.#cost, now: options.now });
  }

  /** @throws StorageError ALREADY_EXISTS for a taken name */
  create(name: string, passphrase: string): Promise<UserDocument> {
    checkUserName(name);
    return this.#serial.run(async () => {
      await this.#demandFree(name);
      const rootKey = newRootKey();
      const keys = deriveUserKeys(rootKey);
      try {
        const { signing, sharing } = keys;
        const owner = parseUserId(userId(signing.publicKey));
        const wrap = await wrapRootKey(passphrase, rootKey, { user: owner, version: FIRST, cost: this.#cost });
        const versions = { version: FIRST, generation: FIRST };
        const former = { former: [], createdMs: this.#now() };
        const user = { owner, name, ...versions, sharingKey: sharing.publicKey, wrap, ...former };
        return await this.#write({ ...user, publicKey: signing.publicKey, links: [] }, signing);
      } finally {
        rootKey.fill(0);
        wipeKeys(keys);
      }
    });
  }

  /** @throws StorageError NOT_FOUND */
  async export(name: string): Promise<Uint8Array> {
    const [known, ...others] = await this.#records.usersNamed(name);
    if (others.length > 0) {
      throw new StorageError(
        'CONFLICT',
        `There are several users ${name}. Give the id of the user instead of the name.`,
      );
    }
    if (known === undefined) throw new StorageError('NOT_FOUND', `This peer knows no user ${name}.`);
    return known.signed;
  }

  /** Keeps the later of two documents of one user. @throws StorageError as readUser; ALREADY_EXISTS for a taken name */
  import(signed: Uint8Array): Promise<UserDocument> {
    const user = readUser(signed);
    return this.#serial.run(async () => {
      const known = (await this.#records.user(user.owner))?.user;
      if (known !== undefined && userCounter(known) >= userCounter(user)) return known;
      if (known !== undefined && !isSuccessor(user, known)) {
        throw new StorageError(
          'PERMISSION_DENIED',
          'The keys in this document do not follow those that this peer knows of the user: they may be forged.',
        );
      }
      if (known?.name !== user.name) await this.#demandFree(user.name);
      await this.#records.setUser(user.owner, signed);
      return user;
    });
  }

  /**
   * @param use the keys are its own to keep or wipe
   * @throws StorageError UNAUTHENTICATED for an unknown name or a wrong passphrase, which cannot be told apart;
   *   UNAVAILABLE after too many of them
   */
  unlock<T>(name: string, passphrase: string, use: (user: UserDocument, ring: KeyRing) => Promise<T>): Promise<T> {
    return this.#serial.run(() =>
      this.#authentication.byPassphrase(name, passphrase, ({ user, ring }) => use(user, ring)),
    );
  }

  /**
   * Wraps the root key anew, and proves that the old passphrase opens nothing any more that this peer holds.
   *
   * @throws StorageError as unlock; INVALID_ARGUMENT for a new passphrase that is empty, too long or the old one; CONFLICT
   *   when the old one still opens something: the new one is valid all the same
   */
  async changePassphrase(
    name: string,
    old: string,
    next: string,
    onChanged?: OnChanged<UserDocument>,
  ): Promise<UserDocument> {
    if (isSamePassphrase(old, next)) {
      throw new StorageError('INVALID_ARGUMENT', 'The new passphrase is the old one. Choose another.');
    }
    return this.#serial.run(async () => {
      const changed = await this.#authentication.byPassphrase(name, old, (opened) => this.#rewrap(opened, next));
      await onChanged?.(changed);
      await proveRetired(this.#records, changed.owner, old);
      return changed;
    });
  }

  /** A new passphrase by the words of the recovery kit, which stays valid. @throws StorageError as changePassphrase */
  recoverWithKit(name: string, words: string, next: string): Promise<UserDocument> {
    return this.#serial.run(() => this.#authentication.byKit(name, words, (opened) => this.#rewrap(opened, next)));
  }

  /** Makes a recovery kit, and retires the one before. @throws StorageError as unlock */
  makeKit(name: string, passphrase: string, onChanged?: OnChanged<UserDocument>): Promise<RecoveryKit> {
    return this.#serial.run(() =>
      this.#authentication.byPassphrase(name, passphrase, async (opened) => {
        const words = newKitWords();
        const version = opened.user.version + 1;
        const kit = wrapUnderKit(words.join(' '), opened.rootKey, { user: opened.user.owner, version });
        const user = await this.#rewrap(opened, passphrase, kit);
        await onChanged?.(user);
        return { user, words, createdMs: this.#now() };
      }),
    );
  }

  /** @throws StorageError NOT_FOUND, CONFLICT as export */
  async sshKeys(name: string): Promise<readonly SshKey[]> {
    return readUser(await this.export(name)).sshKeys ?? [];
  }

  /**
   * @param key one line as ssh-keygen writes it
   * @param label for people; empty: the line's comment
   * @throws StorageError as unlock; INVALID_ARGUMENT, ALREADY_EXISTS, LIMIT_EXCEEDED
   */
  addSshKey(
    by: { readonly name: string; readonly passphrase: string },
    { key, label }: { readonly key: string; readonly label: string },
    onChanged?: OnChanged<UserDocument>,
  ): Promise<UserDocument> {
    const added = parseSshKey(key, label, this.#now());
    return this.#changeSshKeys(by, onChanged, (keys) => {
      const known = keys.find(({ fingerprint }) => equalBytes(fingerprint, added.fingerprint));
      if (known !== undefined) {
        throw new StorageError('ALREADY_EXISTS', `This SSH key is there already, by the name "${known.name}".`);
      }
      if (keys.length >= MAX_SSH_KEYS) {
        throw new StorageError(
          'LIMIT_EXCEEDED',
          `A user has ${String(MAX_SSH_KEYS)} SSH keys at most. Remove one first.`,
        );
      }
      return [...keys, added];
    });
  }

  /** @param which fingerprint or name @throws StorageError as unlock; NOT_FOUND; CONFLICT where several have that name */
  removeSshKey(
    by: { readonly name: string; readonly passphrase: string },
    which: string,
    onChanged?: OnChanged<UserDocument>,
  ): Promise<UserDocument> {
    return this.#changeSshKeys(by, onChanged, (keys) => {
      const exact = keys.filter(({ fingerprint }) => formatFingerprint(fingerprint) === which);
      const found = exact.length > 0 ? exact : keys.filter(({ name }) => name === which);
      if (found.length === 0) throw new StorageError('NOT_FOUND', `There is no such SSH key of ${by.name}.`);
      if (found.length > 1) {
        throw new StorageError(
          'CONFLICT',
          'Several SSH keys have that name. Give the fingerprint of the one you mean.',
        );
      }
      return keys.filter((key) => key !== found[0]);
    });
  }

  #changeSshKeys(
    { name, passphrase }: { readonly name: string; readonly passphrase: string },
    onChanged: OnChanged<UserDocument> | undefined,
    change: SshKeysChange,
  ): Promise<UserDocument> {
    return this.#serial.run(() =>
      this.#authentication.byPassphrase(name, passphrase, async (opened) => {
        try {
          const sshKeys = change(opened.user.sshKeys ?? []);
          const user = await this.#rewrap({ ...opened, user: { ...opened.user, sshKeys } }, passphrase);
          await onChanged?.(user);
          return user;
        } finally {
          opened.ring.wipe();
        }
      }),
    );
  }

  /**
   * Gives the user a new root key, under which the old ones are sealed. The recovery kit ends with it.
   *
   * @param rotatedBy the peer that seals the catalog anew
   * @throws StorageError as unlock; LIMIT_EXCEEDED after MAX_KEY_GENERATIONS
   */
  rotateKeys(name: string, passphrase: string, rotatedBy: PeerId, onChanged: OnChanged<Rotated>): Promise<void> {
    return this.#serial.run(() =>
      this.#authentication.byPassphrase(name, passphrase, async (opened) => {
        const rootKey = newRootKey();
        try {
          const user = await this.#succeed(opened, rootKey, { passphrase, rotatedBy });
          await onChanged({ user, ring: KeyRing.open(user, rootKey) });
        } finally {
          opened.ring.wipe();
          rootKey.fill(0);
        }
      }),
    );
  }

  async #succeed(
    { user, rootKey, ring }: Authenticated,
    next: Uint8Array,
    { passphrase, rotatedBy }: { readonly passphrase: string; readonly rotatedBy: PeerId },
  ): Promise<UserDocument> {
    const { owner, name, createdMs, publicKey, sshKeys = [] } = user;
    const keys = deriveUserKeys(next);
    const former = [...openFormerKeys(owner, user.former, rootKey), rootKey];
    try {
      const link = linkTo(keys.signing.publicKey, ring.signer);
      const version = user.version + 1;
      const wrap = await wrapRootKey(passphrase, next, { user: owner, version, cost: this.#costOf(user) });
      const links = [...user.links, link];
      // Without a recovery kit: its words would have to be known.
      const successor = {
        ...{ owner, name, createdMs, publicKey, version, wrap, links, rotatedBy, sshKeys },
        generation: user.generation + 1,
        sharingKey: keys.sharing.publicKey,
        former: sealFormerKeys(owner, former, next),
      };
      return await this.#write(successor, { ...ring.signer, privateKey: keys.signing.privateKey, links });
    } finally {
      wipeKeys(keys);
      for (const opened of former) if (opened !== rootKey) opened.fill(0);
    }
  }

  async #rewrap({ user, rootKey, ring }: Authenticated, passphrase: string, kit?: KitWrap): Promise<UserDocument> {
    try {
      const version = user.version + 1;
      const cost = this.#costOf(user);
      const wrap = await wrapRootKey(passphrase, rootKey, { user: user.owner, version, cost });
      return await this.#write({ ...user, version, wrap, ...(kit && { kit }) }, ring.signer);
    } finally {
      ring.wipe();
    }
  }

  /** Never below what the user had. */
  #costOf({ wrap }: UserDocument): Argon2Cost {
    const { memoryKib, passes, lanes } = this.#cost;
    return {
      memoryKib: Math.max(memoryKib, wrap.memoryKib),
      passes: Math.max(passes, wrap.passes),
      lanes: Math.max(lanes, wrap.lanes),
    };
  }

  async #write(user: UserDocument, signer: Signer): Promise<UserDocument> {
    const signed = writeUser(user, signer);
    await this.#records.setUser(user.owner, signed);
    const latest = await this.#records.user(user.owner);
    if (latest !== undefined && equalBytes(latest.signed, signed)) return user;
    throw new StorageError('CONFLICT', 'This user was changed elsewhere at the same time. Try again.');
  }

  async #demandFree(name: string): Promise<void> {
    if ((await this.#records.usersNamed(name)).length === 0) return;
    throw new StorageError('ALREADY_EXISTS', `There is a user ${name} already. Choose another name.`);
  }

  /** @returns every user that this peer knows */
  async users(): Promise<readonly UserDocument[]> {
    return (await this.#records.users()).map(({ user }) => user);
  }

  /** After the changes of secrets that are under way. */
  user(id: UserId): Promise<UserDocument | undefined> {
    return this.#serial.run(async () => (await this.#records.user(id))?.user);
  }
}
