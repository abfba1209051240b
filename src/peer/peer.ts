import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.js';
import type { Engine } from '../file/engine.js';
import { keepHouse } from '../file/keep-house.js';
import type { PeerIdentity } from '../home.js';
import { HOUSEKEEPING_MS } from '../limits.js';
import type { UserSessions } from '../services/user-sessions.js';
import type { DiskStore } from '../store/disk-store.js';
import { openBase, type PeerOptions } from './base.js';
import { readMembers } from './members.js';
import { openParts, type Parts } from './open-peer.js';
import { openAll, type Opened } from './opened.js';

/** The composition root: all services of one peer, but those that processes of their own run. */
export class Peer implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #opened: Opened;

  private constructor(parts: Parts, opened: Opened) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /** Opens everything or nothing. @throws StorageError CONFLICT when another process runs this peer */
  static async open(config: Config, options: PeerOptions = {}): Promise<Peer> {
    const base = await openBase(config, options);
    return openAll(async (opened) => new Peer(await openParts(base, opened), opened));
  }

  get id(): PeerIdentity['id'] {
    return this.#parts.base.identity.id;
  }

  get engine(): Engine {
    return this.#parts.engine;
  }

  get store(): DiskStore {
    return this.#parts.store;
  }

  /** Where it listens, as it came out: with port 0 in the configuration the system chose. */
  get port(): number {
    return this.#parts.server.port;
  }

  get sessions(): UserSessions {
    return this.#parts.sessions;
  }

  /** Serves until the signal; then transfers in progress get a moment to end. */
  async run(signal: AbortSignal): Promise<void> {
    const { engine, sessions, base, server } = this.#parts;
    engine.logger.info({ home: base.config.home, port: server.port }, 'peer is up');
    while (!signal.aborted) {
      await this.#housekeep(signal);
      await rest(signal);
    }
    engine.logger.info({ users: sessions.list().length }, 'peer is stopping');
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What peers missed is sent again, what broken puts left behind is given back; who is a member is read again. */
  async #housekeep(signal: AbortSignal): Promise<void> {
    const { engine, sessions, generations, authorities } = this.#parts;
    try {
      // What time changes: certificates expire.
      await readMembers({ catalog: engine.catalog, book: engine.book, generations, authorities });
      await sessions.refresh();
      for (const session of sessions.background()) await keepHouse(engine, session, signal);
    } catch (error) {
      if (!signal.aborted) engine.logger.warn({ err: error }, 'housekeeping failed; it will be tried again');
    }
  }
}

async function rest(signal: AbortSignal): Promise<void> {
  // An aborted wait is the end that was asked for.
  await delay(HOUSEKEEPING_MS, undefined, { signal }).catch(() => undefined);
}
