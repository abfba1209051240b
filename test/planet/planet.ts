import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session, StripeRecord } from '../../src/catalog/catalog.js';
import type { ChunkId, PeerId } from '../../src/chunk/ids.js';
import { readConfig } from '../../src/config.js';
import type { Engine } from '../../src/file/engine.js';
import { deliverDeletes } from '../../src/file/remove.js';
import { DELETE_RETRY_MAX_MS } from '../../src/limits.js';
import { type Logger, silentLogger } from '../../src/log.js';
import { Peer } from '../../src/peer/peer.js';
import { provisionDevnet } from '../../src/provision.js';
import { NEVER } from '../contract/offer.js';
import { Relay } from './relay.js';

export interface PlanetOptions {
  /** Default 6, which makes 4+2; 3 make 2+1, whose stripes are half as long. */
  readonly peers?: number;
  /** The first so many peers; none unless given: then each has its databases alone. */
  readonly backupHosts?: number;
  /** Hosts the CouchDB of a backup host in the place of its peer, from before that peer starts. */
  readonly hostCouch?: (home: string) => Promise<void>;
  /** Peer 1 serves SFTP, on a port that the system chooses. */
  readonly sftp?: boolean;
  /** Peer 1 has its web UI, on a port of its own: `peer(1).webPort`. */
  readonly web?: boolean;
  /** Settings of all peers. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of each peer, by its number; silent unless given. */
  readonly logger?: (n: number) => Logger;
}

/** A chunk of a stored file: where it lies, and as what. */
export interface Placed {
  readonly stripe: StripeRecord;
  readonly index: number;
  readonly id: ChunkId;
  /** The number of the peer that holds it. */
  readonly peer: number;
}

interface Place {
  readonly n: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly id: PeerId;
  readonly home: string;
  readonly relay: Relay;
  peer: Peer | undefined;
}

export const PASSPHRASE = 'a passphrase for tests';
const ENVIRONMENT = {
  SHOAL_WORKERS: '0',
  SHOAL_RESERVE_BYTES: '0',
  SHOAL_LOG: 'silent',
  SHOAL_WEB: 'off',
  SHOAL_SFTP: 'off',
  // What is mended, and when, is for each test to say.
  SHOAL_SCRUB_MEGABYTES: '0',
  SHOAL_AUDITS_PER_HOUR: '0',
  SHOAL_REPAIR_MEGABYTES: '0',
};

/**
 * A whole network in this process: real peers with homes of their own on the disk, which talk over TLS through relays.
 * Peers are numbered from 1. Peer 1 is the source: the user `demo` is unlocked there, and its engine does the work.
 */
export class Planet implements AsyncDisposable {
  readonly folder: string;
  readonly #places: readonly Place[];
  #session: Session | undefined;
  /** Time that the peers believe has passed without having passed. */
  #aheadMs = 0;

  private constructor(folder: string, places: readonly Place[]) {
    this.folder = folder;
    this.#places = places;
  }

  static async open(options: PlanetOptions = {}): Promise<Planet> {
    const { peers = 6, backupHosts = 0, hostCouch, web, sftp, logger } = options;
    const folder = await mkdtemp(join(tmpdir(), 'shoal-planet-'));
    const relays = await Promise.all(Array.from({ length: peers }, () => Relay.open()));
    const { peers: made } = await provisionDevnet({
      dir: folder,
      peers: relays.map(({ port }, i) => ({
        n: i + 1,
        port,
        zone: `zone-${String(i)}`,
        name: `peer-${String(i + 1)}`,
      })),
      backupHosts,
      passphrase: PASSPHRASE,
    });
    const places = relays.map((relay, i): Place => {
      const one = made[i];
      assert.ok(one !== undefined);
      const isHosted = hostCouch !== undefined && i < backupHosts;
      const environment = {
        ...ENVIRONMENT,
        ...options.environment,
        ...(isHosted && { SHOAL_SEPARATE: 'couchdb' }),
        ...(sftp === true && i === 0 && { SHOAL_SFTP: '127.0.0.1:0' }),
        ...(web === true && i === 0 && { SHOAL_WEB: '127.0.0.1:0' }),
      };
      return { ...one, environment, logger: logger?.(one.n) ?? silentLogger(), relay, peer: undefined };
    });
    for (const { home } of places.slice(0, backupHosts)) await hostCouch?.(home);
    const planet = new Planet(folder, places);
    try {
      await planet.#start(backupHosts);
      return planet;
    } catch (error) {
      // What is left open would keep the process for ever.
      await planet[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(backupHosts: number): Promise<void> {
    const { numbers } = this;
    // Replication that finds no host rests for seconds before it looks again.
    for (const some of [numbers.slice(0, backupHosts), numbers.slice(backupHosts)]) {
      const started = await Promise.allSettled(some.map((n) => this.start(n)));
      for (const each of started) if (each.status === 'rejected') throw each.reason;
    }
  }

  get engine(): Engine {
    return this.peer(1).engine;
  }

  get session(): Session {
    assert.ok(this.#session !== undefined, 'peer 1 is up');
    return this.#session;
  }

  get numbers(): number[] {
    return this.#places.map(({ n }) => n);
  }

  peer(n: number): Peer {
    const { peer } = this.#place(n);
    assert.ok(peer !== undefined, `peer ${String(n)} is up`);
    return peer;
  }

  home(n: number): string {
    return this.#place(n).home;
  }

  id(n: number): PeerId {
    return this.#place(n).id;
  }

  relay(n: number): Relay {
    return this.#place(n).relay;
  }

  numberOf(id: PeerId): number {
    return this.#places.find((place) => place.id === id)?.n ?? 0;
  }

  /** Starts a peer, again too, and returns when the source reaches it. */
  async start(n: number, passphrase = PASSPHRASE): Promise<void> {
    const place = this.#place(n);
    const config = readConfig({ home: place.home, listen: '127.0.0.1:0' }, place.environment);
    place.peer = await Peer.open(config, { logger: place.logger, clock: () => Date.now() + this.#aheadMs });
    place.relay.lead(place.peer.port);
    if (n === 1) {
      await place.peer.sessions.unlock('demo', passphrase);
      this.renewSession();
    }
    if (this.#place(1).peer !== undefined) await this.meet(n);
  }

  /** After the user was locked and unlocked again at peer 1. */
  renewSession(): void {
    this.#session = this.peer(1).sessions.get('demo');
  }

  isUp(n: number): boolean {
    return this.#place(n).peer !== undefined;
  }

  /** Mends a wire that was cut. */
  async reconnect(n: number): Promise<void> {
    this.relay(n).flow();
    this.relay(n).lead(this.peer(n).port);
    await this.meet(n);
  }

  /** Delivers what waits in the outbox of the source peer, however long it would wait there. */
  async deliver(): Promise<void> {
    this.#aheadMs += DELETE_RETRY_MAX_MS;
    await deliverDeletes(this.engine, this.session, NEVER);
  }

  /** The peers believe that so much time has passed; the user, whom nobody used meanwhile, is unlocked again. */
  async passTime(ms: number): Promise<void> {
    this.#aheadMs += ms;
    await this.peer(1).sessions.unlock('demo', PASSPHRASE);
    this.renewSession();
  }

  /** Waits until the source reaches a peer again: its connection tries by itself, at growing intervals. */
  async meet(n: number): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      if ((await this.engine.links.ping(this.id(n), NEVER)) !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`peer ${String(n)} does not answer`);
  }

  /** Ends a peer as SIGTERM does. */
  async stop(...numbers: number[]): Promise<void> {
    await Promise.all(numbers.map((n) => this.#close(this.#place(n))));
  }

  /** Breaks a peer's connections in the middle of whatever they carry, then ends it. */
  async kill(...numbers: number[]): Promise<void> {
    for (const n of numbers) this.relay(n).cut();
    await this.stop(...numbers);
  }

  async restart(n: number): Promise<void> {
    await this.stop(n);
    await this.start(n);
  }

  /** Every chunk of a file. */
  async chunksOf(path: string): Promise<Placed[]> {
    const { extents } = await this.engine.catalog.manifest(this.session, path);
    const stripes = await this.engine.catalog.stripes([...new Set(extents.map(({ stripe }) => stripe))]);
    return stripes.flatMap((stripe) => {
      assert.ok(stripe !== undefined, 'the catalog knows every stripe');
      return stripe.chunks.flatMap((id, index) => {
        const place = stripe.placement[index];
        return place === undefined ? [] : [{ stripe, index, id, peer: this.numberOf(place.peer) }];
      });
    });
  }

  /** Bytes of chunks at each peer, in order. */
  async usage(): Promise<number[]> {
    return Promise.all(this.#places.map(async ({ n }) => (await this.peer(n).store.usage()).bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { relay } of this.#places) relay.flow();
    await this.stop(...this.numbers);
    await Promise.all(this.#places.map(({ relay }) => relay[Symbol.asyncDispose]()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #close(place: Place): Promise<void> {
    const { peer } = place;
    place.peer = undefined;
    await peer?.close();
    place.relay.cut();
    if (place.n === 1) this.#session = undefined;
  }

  #place(n: number): Place {
    const place = this.#places[n - 1];
    assert.ok(place !== undefined, `there is a peer ${String(n)}`);
    return place;
  }
}
