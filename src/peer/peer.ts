import type { Config, Service } from '../config.js';
import { StorageError } from '../errors.js';
import type { Engine } from '../file/engine.js';
import { keepHouse } from '../file/keep-house.js';
import type { Healing } from '../healing/healing.js';
import type { Scrub } from '../healing/scrub.js';
import { sessionToJson } from '../gateways/http/session-header.js';
import type { PeerIdentity } from '../home.js';
import { HOUSEKEEPING_MS } from '../limits.js';
import { rest } from '../on-abort.js';
import type { UserSessions } from '../services/user-sessions.js';
import type { DiskStore } from '../store/disk-store.js';
import { openBase, type PeerOptions } from './base.js';
import { readMembers } from './members.js';
import { openParts, type Parts } from './open-peer.js';
import { openAll, type Opened } from './opened.js';
import { servicesOf } from './running.js';

/** The composition root: the services of one peer that one process runs; all of them, or those that others do not run. */
export class Peer implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #opened: Opened;

  private constructor(parts: Parts, opened: Opened) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /**
   * Opens everything or nothing; waits a while for services of other processes.
   *
   * @param options alone: that service and no other
   * @throws StorageError CONFLICT when another process runs any of it; INVALID_ARGUMENT, UNAVAILABLE
   */
  static async open(config: Config, options: PeerOptions & { readonly alone?: Service } = {}): Promise<Peer> {
    const base = await openBase(config, options);
    const running = servicesOf(config, options.alone);
    const choice = options.nginx === undefined ? {} : { nginx: options.nginx };
    return openAll(async (opened) => new Peer(await openParts(base, running, choice, opened), opened));
  }

  get id(): PeerIdentity['id'] {
    return this.#parts.base.identity.id;
  }

  /** @throws StorageError UNSUPPORTED where another process runs the File Sender; so do the others below, of theirs */
  get engine(): Engine {
    return here(this.#parts.engine, 'file-sender');
  }

  get healing(): Healing {
    return here(this.#parts.healing, 'file-sender');
  }

  get scrub(): Scrub {
    return here(this.#parts.scrub, 'file-receiver');
  }

  get store(): DiskStore {
    return here(this.#parts.store, 'file-receiver');
  }

  /** Where it listens, as it came out: with port 0 in the configuration the system chose. */
  get port(): number {
    return here(this.#parts.port, 'front');
  }

  /** Where browsers reach it, as it came out; undefined where there is no web UI. */
  get webPort(): number | undefined {
    return this.#parts.web?.port;
  }

  /** Where SFTP clients reach it, as it came out; undefined where there is no SFTP. */
  get sftpPort(): number | undefined {
    return this.#parts.sftp?.port;
  }

  get sessions(): UserSessions {
    return here(this.#parts.sessions, 'gateway');
  }

  /** Serves until the signal; then transfers in progress get `drainSeconds` to end. */
  async run(signal: AbortSignal): Promise<void> {
    const { base, running, port, control, web, sftp } = this.#parts;
    const { logger, config } = base;
    const [only] = running;
    if (running.size === 1) logger.info({ service: only, ...(port !== undefined && { port }) }, 'service is up');
    else logger.info({ home: config.home, ...(port !== undefined && { port }) }, 'peer is up');
    if (web !== undefined) logger.info({ web: config.web, port: web.port }, 'web UI is up');
    if (sftp !== undefined) logger.info({ sftp: config.sftp, port: sftp.port }, 'SFTP is up');
    while (!signal.aborted) {
      await this.#housekeep(signal);
      await rest(HOUSEKEEPING_MS, signal);
    }
    logger.info({ services: [...running] }, 'stopping; transfers in progress get a moment to end');
    const withinMs = config.drainSeconds * 1000;
    await Promise.all([control.drain(withinMs), web?.drain(withinMs), sftp?.drain(withinMs)]);
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What peers missed is sent again, what broken puts left behind is given back; who is a member is read again. */
  async #housekeep(signal: AbortSignal): Promise<void> {
    const { base, members, sessions } = this.#parts;
    try {
      // What time changes: certificates expire.
      if (members !== undefined) await readMembers(members);
      if (sessions !== undefined) await this.#keepHouse(sessions, signal);
    } catch (error) {
      if (!signal.aborted) base.logger.warn({ err: error }, 'housekeeping failed; it will be tried again');
    }
  }

  /** The gateway knows who is unlocked; the File Sender has the work. */
  async #keepHouse(sessions: UserSessions, signal: AbortSignal): Promise<void> {
    const { engine, neighbours } = this.#parts;
    await sessions.refresh();
    const unlocked = sessions.background();
    if (engine !== undefined) {
      for (const session of unlocked) await keepHouse(engine, session, signal);
    } else if (unlocked.length > 0) {
      const body = { sessions: unlocked.map(sessionToJson) };
      await neighbours.client('file-sender').json({ method: 'POST', path: '/v1/housekeeping', signal }, body);
    }
  }
}

function here<T>(part: T | undefined, service: Service): T {
  if (part !== undefined) return part;
  throw new StorageError('UNSUPPORTED', `Another process of this peer runs ${service}.`);
}
