import { parseUserDatabase, userDatabase } from '../../chunk/database-names.js';
import type { PeerId, UserId } from '../../chunk/ids.js';
import type { DocumentDatabase, DocumentHost } from '../../documents/document-database.js';
import type { Logger } from '../../log.js';
import { STATE_PREFIX } from '../view/document-id.js';
import type { KeyRing } from './key-ring.js';
import { HeadKeeper, type HeadKeeperOptions } from '../view/head-keeper.js';
import { decodeState } from '../view/state.js';
import { UserCatalog } from '../view/user-catalog.js';
import { UserDocuments } from '../view/user-documents.js';
import { wipeKeys } from './wipe-keys.js';

export interface UserGenerationsOptions {
  readonly user: UserId;
  readonly host: DocumentHost;
  readonly peer: PeerId;
  /** What this peer is called, for the names of conflicts. */
  readonly peerName: string;
  readonly logger: Logger;
  /** Unix time. */
  readonly now: () => number;
  /** Where the user is at home. */
  readonly homes: () => Promise<readonly PeerId[]>;
  readonly heads: Omit<HeadKeeperOptions, 'logger'>;
}

/** Documents of one generation, open. */
export interface OpenGeneration extends AsyncDisposable {
  readonly database: DocumentDatabase;
  readonly documents: UserDocuments;
}

/** The databases of one user at this peer: one for each generation of the keys that is not retired. */
export class UserGenerations {
  readonly #options: UserGenerationsOptions;

  constructor(options: UserGenerationsOptions) {
    this.#options = options;
  }

  /** Those that are here, in ascending order; none that the keys do not open. */
  async here(ring: KeyRing): Promise<number[]> {
    const { host, user } = this.#options;
    return (await host.names())
      .flatMap((name) => parseUserDatabase(name) ?? [])
      .filter((database) => database.user === user && database.generation <= ring.generation)
      .map(({ generation }) => generation)
      .sort((a, b) => a - b);
  }

  /** Its documents, beside a catalog that may have the same database open. */
  async open(generation: number, ring: KeyRing): Promise<OpenGeneration> {
    const { host, user, peer, peerName, logger } = this.#options;
    // A copy: a later ring may replace this one and wipe it while the documents are in use, and nothing must be sealed then.
    const keys = ring.copyOf(generation);
    const database = await host.open(userDatabase(user, generation));
    return {
      database,
      documents: new UserDocuments(database, { user, peer, peerName, keys, logger }),
      async [Symbol.asyncDispose]() {
        wipeKeys(keys);
        await database.close();
      },
    };
  }

  async catalog(generation: number, ring: KeyRing): Promise<UserCatalog> {
    const { host, user, peer, peerName, logger, now, homes } = this.#options;
    const heads = new HeadKeeper({ ...this.#options.heads, logger });
    const keys = ring.copyOf(generation);
    const database = await host.open(userDatabase(user, generation));
    try {
      return await UserCatalog.open({ user, peer, peerName, keys, logger, now, homes, heads, database });
    } catch (error) {
      wipeKeys(keys);
      await database.close();
      throw error;
    }
  }

  /** Whether the state that the generation began with has come whole. The first generation began with nothing. */
  async isWhole(generation: number, ring: KeyRing): Promise<boolean> {
    if (generation === 1) return true;
    await using opened = await this.open(generation, ring);
    return await hasWholeBase(opened.documents);
  }

  /** Nothing is in it that is not in a later generation. */
  retire(generation: number): Promise<void> {
    const { host, user, logger } = this.#options;
    logger.info({ user, generation }, 'a generation of the catalog is retired');
    return host.drop(userDatabase(user, generation));
  }
}

/** Whether one dump that begins the generation is there with all its parts. */
async function hasWholeBase(documents: UserDocuments): Promise<boolean> {
  const dumps = new Map<string, { readonly parts: Set<number>; total: number | undefined }>();
  for await (const id of documents.ids()) {
    if (!id.startsWith(STATE_PREFIX)) continue;
    const sealed = await documents.open('state', id);
    const part = sealed && decodeState(sealed.plain).dump;
    if (part?.base !== true) continue;
    const dump = dumps.get(part.dump) ?? { parts: new Set(), total: undefined };
    dumps.set(part.dump, dump);
    dump.parts.add(part.part);
    dump.total ??= part.parts;
    if (dump.total === dump.parts.size) return true;
  }
  return false;
}
