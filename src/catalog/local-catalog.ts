import { setInterval } from 'node:timers';
import type { FileId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import { sealSigned } from '../chunk/signed.js';
import type { Argon2Cost } from '../crypto/passphrase.js';
import { stripeDirectoryKey } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import { SESSION_IDLE_MS, SESSION_SWEEP_MS } from '../limits.js';
import type { Logger } from '../log.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { Accounts } from './accounts.js';
import type {
  Catalog,
  Entry,
  FreedStripe,
  Manifest,
  NetworkRecord,
  NewVersion,
  Session,
  SessionToken,
  SigningPurpose,
  StripeRecord,
  UserSummary,
  VersionSummary,
} from './catalog.js';
import { openDocuments } from '../documents/level-documents.js';
import { NetworkDocuments } from './network-documents.js';
import { Sessions } from './sessions.js';
import { StripeDocuments } from './stripe-documents.js';
import { UnlockedUsers } from './unlocked-users.js';
import { UserCatalog } from './user-catalog.js';
import type { UserDocument } from './user-document.js';

const DIRECTORY_SALT_BYTES = 32;

export interface LocalCatalogOptions {
  /** Of the peer's document databases; made when missing. */
  readonly directory: string;
  readonly peer: PeerId;
  readonly logger: Logger;
  /** Of the passphrases of users that are created here. */
  readonly argon2?: Argon2Cost;
  /** A session that was not used for so long is locked. */
  readonly sessionIdleMs?: number;
  /** Unix time. */
  readonly now?: () => number;
}

/** The catalog over document databases on this peer's disk. One at a time may have a directory open. */
export class LocalCatalog implements Catalog {
  readonly #logger: Logger;
  readonly #network: NetworkDocuments;
  readonly #stripes: StripeDocuments;
  readonly #accounts: Accounts;
  readonly #users: UnlockedUsers;
  readonly #sessions: Sessions<UserCatalog>;
  readonly #sweep: NodeJS.Timeout;
  #closing: Promise<void> | undefined;

  private constructor(options: LocalCatalogOptions, network: NetworkDocuments, stripes: StripeDocuments) {
    const { directory, peer, logger, now = Date.now } = options;
    this.#logger = logger;
    this.#network = network;
    this.#stripes = stripes;
    this.#accounts = new Accounts(network, { now, ...(options.argon2 && { cost: options.argon2 }) });
    this.#users = new UnlockedUsers(async (user, keys) => {
      const database = await openDocuments(directory, `user-${user}`);
      try {
        return await UserCatalog.open({ user, peer, keys, logger, now, database });
      } catch (error) {
        await database.close();
        throw error;
      }
    });
    this.#sessions = new Sessions({ idleMs: options.sessionIdleMs ?? SESSION_IDLE_MS, now });
    this.#sweep = setInterval(() => void this.#lockIdle(), SESSION_SWEEP_MS).unref();
  }

  /** @throws StorageError CONFLICT when another process has it open, CORRUPT when it is damaged */
  static async open(options: LocalCatalogOptions): Promise<LocalCatalog> {
    const network = await openDocuments(options.directory, 'network');
    try {
      const stripes = await openDocuments(options.directory, 'stripes');
      return new LocalCatalog(options, new NetworkDocuments(network, options.logger), new StripeDocuments(stripes));
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  network(): Promise<NetworkRecord> {
    return this.#network.network();
  }

  setNetwork(record: NetworkRecord): Promise<void> {
    return this.#network.setNetwork(record);
  }

  peers(): Promise<readonly PeerRecord[]> {
    return this.#network.peers();
  }

  setPeer(record: PeerRecord): Promise<void> {
    return this.#network.setPeer(record);
  }

  async users(): Promise<readonly UserSummary[]> {
    const known = await this.#network.users();
    return known.map(({ user }) => this.#summary(user));
  }

  async createUser(name: string, passphrase: string): Promise<UserSummary> {
    return this.#summary(await this.#accounts.create(name, passphrase));
  }

  exportUser(name: string): Promise<Uint8Array> {
    return this.#accounts.export(name);
  }

  async importUser(document: Uint8Array): Promise<UserSummary> {
    return this.#summary(await this.#accounts.import(document));
  }

  unlock(name: string, passphrase: string): Promise<Session> {
    return this.#accounts.unlock(name, passphrase, async (user, keys) => {
      const { owner, publicKey } = user;
      const catalog = await this.#users.acquire(owner, keys);
      try {
        if (this.#closing !== undefined) throw new StorageError('UNAVAILABLE', 'The catalog is being closed.');
        return { token: this.#sessions.add(catalog), user: owner, name: user.name, publicKey };
      } catch (error) {
        await this.#users.release(owner);
        throw error;
      }
    });
  }

  async lock(session: SessionToken): Promise<void> {
    const catalog = this.#sessions.remove(session.token);
    if (catalog !== undefined) await this.#users.release(catalog.user);
  }

  async sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array> {
    return sealSigned(purpose, body, this.#use(session).keys.signing);
  }

  async directoryKey(session: SessionToken, salt: Uint8Array): Promise<Uint8Array> {
    if (salt.length !== DIRECTORY_SALT_BYTES) {
      throw new StorageError('INVALID_ARGUMENT', `The salt of a directory has ${String(DIRECTORY_SALT_BYTES)} bytes.`);
    }
    return stripeDirectoryKey(this.#use(session).keys.directoryKey, salt);
  }

  async stat(session: SessionToken, path: string): Promise<Entry> {
    return this.#use(session).stat(path);
  }

  async list(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<readonly Entry[]> {
    return this.#use(session).list(path, options?.recursive ?? false);
  }

  async versions(session: SessionToken, path: string): Promise<readonly VersionSummary[]> {
    return this.#use(session).versions(path);
  }

  async manifest(session: SessionToken, path: string, version?: VersionId): Promise<Manifest> {
    return this.#use(session).manifest(path, version);
  }

  async manifests(session: SessionToken, paths: readonly string[]): Promise<readonly (Manifest | undefined)[]> {
    return this.#use(session).manifests(paths);
  }

  async fileIds(session: SessionToken, paths: readonly string[]): Promise<readonly (FileId | undefined)[]> {
    return this.#use(session).fileIds(paths);
  }

  async commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void> {
    const catalog = this.#use(session);
    const stripes = new Set(versions.flatMap(({ manifest }) => manifest.extents.map(({ stripe }) => stripe)));
    await this.#stripes.demand([...stripes]);
    await catalog.commit(versions);
  }

  async makeFolder(session: SessionToken, path: string): Promise<void> {
    await this.#use(session).makeFolder(path);
  }

  async move(session: SessionToken, from: string, to: string): Promise<void> {
    await this.#use(session).move(from, to);
  }

  async remove(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<{ readonly files: number; readonly freed: readonly FreedStripe[] }> {
    const { files, freed } = await this.#use(session).remove(path, options?.recursive ?? false);
    const stripes = await Promise.all(freed.map((id) => this.#freed(id)));
    return { files, freed: stripes.filter((stripe) => stripe !== undefined) };
  }

  putStripes(records: readonly StripeRecord[]): Promise<void> {
    return this.#stripes.put(records);
  }

  stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]> {
    return this.#stripes.get(ids);
  }

  forgetStripes(ids: readonly StripeId[]): Promise<void> {
    return this.#stripes.forget(ids);
  }

  /** Locks everybody. Commits on their way to the disk end first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.all(this.#sessions.clear().map((catalog) => this.#users.release(catalog.user)));
    await this.#network.close();
    await this.#stripes.close();
  }

  #use(session: SessionToken): UserCatalog {
    return this.#sessions.use(session.token);
  }

  #summary(user: UserDocument): UserSummary {
    return { id: user.owner, name: user.name, unlocked: this.#users.has(user.owner) };
  }

  async #freed(id: StripeId): Promise<FreedStripe | undefined> {
    try {
      const [record] = await this.#stripes.get([id]);
      if (record === undefined) return undefined;
      const chunks = record.chunks.flatMap((chunk, index) => {
        const peer = record.placement[index]?.peer;
        return peer === undefined ? [] : [{ id: chunk, peer }];
      });
      return { stripe: id, chunks };
    } catch (error) {
      // The files are gone already, and that is what was asked: space that cannot be given back now is found by inventories.
      if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
      this.#logger.warn({ stripe: id, code: error.code }, 'stripe document refused: its chunks are not deleted');
      return undefined;
    }
  }

  async #lockIdle(): Promise<void> {
    for (const { user } of this.#sessions.expire()) await this.#release(user);
  }

  async #release(user: UserId): Promise<void> {
    try {
      await this.#users.release(user);
    } catch (error) {
      this.#logger.error({ err: error }, 'locking an idle user failed');
    }
  }
}
