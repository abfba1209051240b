import { createHash, randomBytes } from 'node:crypto';
import { STRIPES_DATABASE } from '../../chunk/database-names.js';
import type { PeerId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { HttpSend } from '../../http-call.js';
import { MAX_REPLICATION_BATCHES } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { LatestIn } from '../branches.js';
import type { LevelHost } from '../level-host.js';
import { Checkpoints } from './checkpoints.js';
import { CouchEndpoint, type Selector } from './couch-endpoint.js';
import { judgeIncoming } from './judge-incoming.js';
import { type IncomingRules, LevelEndpoint } from './level-endpoint.js';
import { MovedStripes } from './moved-stripes.js';
import { MovesAgain } from './moves-again.js';
import { Revivals } from './revivals.js';
import { type Direction, ReplicationStream, type StreamEnds, type StreamState } from './stream.js';
import { Turns } from './turns.js';

/** A peer that hosts CouchDB, as its record says. */
export interface BackupHost {
  readonly id: PeerId;
  /** "host:port" of its front. */
  readonly address: string;
}

/** A connection to the databases of a backup host. */
export interface HostConnection {
  readonly send: HttpSend;
  close(): void;
}

export interface ReplicatedDatabase {
  readonly name: string;
  /** What of it is pulled; absent: all. Everything is pushed. */
  readonly selector?: Selector;
}

export interface ReplicatorOptions {
  /** This peer. */
  readonly self: PeerId;
  readonly host: LevelHost;
  readonly connect: (host: BackupHost) => HostConnection;
  /** Bounds the branches of the documents that are pulled. */
  readonly latestIn?: LatestIn;
  readonly logger: Logger;
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export interface ReplicationPlan {
  readonly hosts: readonly BackupHost[];
  readonly databases: readonly ReplicatedDatabase[];
}

/** A host with its own turns: one that is slow keeps nobody from the others. */
interface Reached {
  readonly connection: HostConnection;
  readonly turns: Turns;
}

interface Running {
  readonly stream: ReplicationStream;
  readonly hostKey: string;
}

/** Replicates the databases of a peer with every backup host, live, both ways. */
export class Replicator implements AsyncDisposable {
  readonly #options: ReplicatorOptions;
  readonly #hosts = new Map<string, Reached>();
  readonly #streams = new Map<string, Running>();
  /** By host and database, for as long as this runs: a host may come and go. */
  readonly #revivals = new Map<string, Revivals>();
  readonly #ending = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /** Replicates exactly this from now on: what is new starts, what is gone ends, the rest is not disturbed. */
  update({ hosts, databases }: ReplicationPlan): void {
    if (this.#closing !== undefined) return;
    const wanted = new Set<string>();
    for (const host of hosts) {
      for (const database of databases) {
        for (const direction of ['push', 'pull'] as const) {
          const selector = direction === 'pull' ? database.selector : undefined;
          const key = JSON.stringify([host.id, host.address, database.name, direction, selector ?? null]);
          wanted.add(key);
          if (this.#streams.has(key)) continue;
          this.#start(key, { host, name: database.name, direction, selector, again: new MovesAgain() });
        }
      }
    }
    for (const key of [...this.#streams.keys()]) if (!wanted.has(key)) this.#forget(key);
    this.#dropConnections();
  }

  status(): readonly StreamState[] {
    return [...this.#streams.values()].map(({ stream }) => stream.state);
  }

  /** As when the network is back: nobody waits any longer. */
  retryNow(): void {
    for (const { stream } of this.#streams.values()) stream.retryNow();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const { stream } of this.#streams.values()) this.#end(stream);
    this.#streams.clear();
    await Promise.all(this.#ending);
    this.#dropConnections();
  }

  #forget(key: string): void {
    const running = this.#streams.get(key);
    if (running === undefined) return;
    this.#streams.delete(key);
    this.#end(running.stream);
  }

  #end(stream: ReplicationStream): void {
    const ending = stream.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #dropConnections(): void {
    const used = new Set([...this.#streams.values()].map(({ hostKey }) => hostKey));
    for (const [key, { connection }] of this.#hosts) {
      if (used.has(key)) continue;
      this.#hosts.delete(key);
      connection.close();
    }
  }

  #start(key: string, part: Part): void {
    const { host, name, direction } = part;
    const hostKey = `${host.id} ${host.address}`;
    const reached = this.#hosts.get(hostKey) ?? {
      connection: this.#options.connect(host),
      turns: new Turns(MAX_REPLICATION_BATCHES),
    };
    this.#hosts.set(hostKey, reached);
    const { connection, turns } = reached;
    const { logger, nowMs = Date.now, random = Math.random } = this.#options;
    const stream = new ReplicationStream({
      host: host.id,
      database: name,
      direction,
      connect: () => this.#connect(part, connection, () => this.#forget(key)),
      turns,
      logger,
      nowMs,
      random,
    });
    this.#streams.set(key, { stream, hostKey });
  }

  #incomingRules(host: PeerId, name: string): IncomingRules {
    const key = `${host} ${name}`;
    const revivals = this.#revivals.get(key) ?? new Revivals();
    this.#revivals.set(key, revivals);
    const isLatest = this.#options.latestIn?.(name);
    return { judge: judgeIncoming(name), revivals, ...(isLatest && { isLatest }) };
  }

  async #connect(
    { host, name, direction, selector, again }: Part,
    { send }: HostConnection,
    forget: () => void,
  ): Promise<StreamEnds> {
    const { self, host: here } = this.#options;
    const lease = await here.acquireUnlessDropped(name);
    if (lease === undefined) {
      // A backup host keeps the database of former keys for a while: pulled again, it would be here for as long.
      forget();
      throw new StorageError('CANCELLED', 'The database was deleted here.');
    }
    const { database, release } = lease;
    const local = new LevelEndpoint(database, this.#incomingRules(host.id, name));
    const couch = new CouchEndpoint({ send, database: name, ...(selector === undefined ? {} : { selector }) });
    // Who gets all stripes gets them with their moves.
    const isPartial = name === STRIPES_DATABASE && selector !== undefined;
    const remote = isPartial ? new MovedStripes(couch, database, again) : couch;
    const id = checkpointId([self, host.id, name, direction, JSON.stringify(selector ?? null)]);
    const session = randomBytes(12).toString('hex');
    const checkpoints = new Checkpoints(id, { here: local, there: remote }, session);
    const ends = direction === 'push' ? { source: local, target: remote } : { source: remote, target: local };
    return { ...ends, checkpoints, release };
  }
}

interface Part {
  readonly host: BackupHost;
  readonly name: string;
  readonly direction: Direction;
  readonly selector: Selector | undefined;
  readonly again: MovesAgain;
}

/** Of one replication and no other, the same after a restart. */
function checkpointId(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
