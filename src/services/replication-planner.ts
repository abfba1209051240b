import { isAwaited, isOver } from '../catalog/records/former-generations.js';
import type { HomeRecord } from '../catalog/records/home-record.js';
import type { NetworkDocuments } from '../catalog/records/network-documents.js';
import { NETWORK_DATABASE, parseUserDatabase, STRIPES_DATABASE, userDatabase } from '../chunk/database-names.js';
import type { PeerId, UserId } from '../chunk/ids.js';
import type { DocumentDatabase, DocumentHost } from '../documents/document-database.js';
import type { ReplicationPlan } from '../documents/replication/replicator.js';
import { stripesSelector } from '../documents/replication/stripes-selector.js';
import { PROVISION_PAUSE_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { OnChanges } from './on-changes.js';

export interface ReplicationPlannerOptions {
  readonly self: PeerId;
  /** The network's records, verified. */
  readonly records: Pick<NetworkDocuments, 'homeRecords' | 'peers' | 'users'>;
  /** Their database: its changes say when to look again. */
  readonly network: Pick<DocumentDatabase, 'sequence' | 'changes' | 'compact'>;
  readonly host: Pick<DocumentHost, 'names' | 'open'>;
  /** Takes the plan; see Replicator. */
  readonly update: (plan: ReplicationPlan) => void;
  readonly logger: Logger;
  readonly nowMs?: () => number;
}

/** Says what is replicated with whom, as the network's records have it: every backup host, and the users at home here. */
export class ReplicationPlanner implements AsyncDisposable {
  readonly #options: ReplicationPlannerOptions;
  /** Each user's version, when the old revisions were forgotten. */
  #users = '';
  readonly #sinceMs: number;
  readonly #running: OnChanges;

  /** Begins at once, and goes on with what changes. */
  constructor(options: ReplicationPlannerOptions) {
    this.#options = options;
    this.#sinceMs = (options.nowMs ?? Date.now)();
    this.#running = new OnChanges({
      database: options.network,
      work: () => this.#plan(),
      pauseMs: PROVISION_PAUSE_MS,
      doing: 'Planning the replication of the catalog',
      logger: options.logger,
    });
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #plan(): Promise<void> {
    const { records, self, host, update } = this.#options;
    const peers = await records.peers();
    const hosts = peers.filter(({ backup, state }) => backup && state !== 'removed');
    const homes = await records.homeRecords();
    const here = homes.filter(({ peer, gone }) => peer === self && !gone).map(({ user }) => user);
    const users = await records.users();
    const generations = new Map(users.map(({ user }) => [user.owner, user.generation]));
    const names = await host.names();
    const databases = [{ name: NETWORK_DATABASE }, { name: STRIPES_DATABASE, selector: stripesSelector(self, here) }];
    for (const user of here) {
      const words = homes.filter((home) => home.user === user);
      for (const name of this.#userDatabases(user, generations.get(user), { words, names })) {
        // One that was deleted here is not copied again unless somebody makes it: see Replicator.
        if (!names.includes(name)) await (await host.open(name)).close();
        databases.push({ name });
      }
    }
    update({ hosts: hosts.map(({ id, address }) => ({ id, address })), databases });
    await this.#forgetOldKeys(users.map(({ user }) => `${user.owner} ${String(user.version)}`).join('\n'));
  }

  /** The present generation, whichever others are here, such as one that is being made; and former ones while needed. */
  #userDatabases(user: UserId, newest: number | undefined, { words, names }: Known): readonly string[] {
    const here = names.flatMap((name) => parseUserDatabase(name) ?? []).filter((database) => database.user === user);
    const wanted = new Set(here.map(({ generation }) => generation));
    if (newest !== undefined) for (const each of [newest - 1, newest]) wanted.add(each);
    return [...wanted]
      .filter((generation) => generation > 0 && (generation >= (newest ?? 0) || this.#isNeeded(generation, words)))
      .sort((a, b) => a - b)
      .map((generation) => userDatabase(user, generation));
  }

  /** Whether something may come into a former generation that has to be brought over, from here or from elsewhere. */
  #isNeeded(generation: number, homes: readonly HomeRecord[]): boolean {
    const { self, nowMs = Date.now } = this.#options;
    const own = homes.filter(({ peer }) => peer === self);
    return isAwaited(own, generation) || !isOver(homes, generation, { nowMs: nowMs(), sinceMs: this.#sinceMs });
  }

  /** A passphrase that was changed elsewhere leaves the former wrap in an old revision here too. */
  async #forgetOldKeys(users: string): Promise<void> {
    if (this.#users === users) return;
    await this.#options.network.compact();
    this.#users = users;
  }
}

interface Known {
  /** Of all homes of a user. */
  readonly words: readonly HomeRecord[];
  /** Of the databases here. */
  readonly names: readonly string[];
}
