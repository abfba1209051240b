import type { NetworkDocuments } from '../catalog/records/network-documents.js';
import { NETWORK_DATABASE, parseUserDatabase, STRIPES_DATABASE, userDatabase } from '../chunk/database-names.js';
import type { PeerId, UserId } from '../chunk/ids.js';
import type { DocumentDatabase, DocumentHost } from '../documents/document-database.js';
import type { ReplicatedDatabase, ReplicationPlan } from '../documents/replication/replicator.js';
import { stripesSelector } from '../documents/replication/stripes-selector.js';
import { PROVISION_PAUSE_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { OnChanges } from './on-changes.js';

export interface ReplicationPlannerOptions {
  readonly self: PeerId;
  /** The network's records, verified. */
  readonly records: Pick<NetworkDocuments, 'homes' | 'peers' | 'users'>;
  /** Their database: its changes say when to look again. */
  readonly network: Pick<DocumentDatabase, 'sequence' | 'changes' | 'compact'>;
  readonly host: Pick<DocumentHost, 'names'>;
  /** Takes the plan; see Replicator. */
  readonly update: (plan: ReplicationPlan) => void;
  readonly logger: Logger;
}

/** Says what is replicated with whom, as the network's records have it: every backup host, and the users at home here. */
export class ReplicationPlanner implements AsyncDisposable {
  readonly #options: ReplicationPlannerOptions;
  /** Each user's version, when the old revisions were forgotten. */
  #users = '';
  readonly #running: OnChanges;

  /** Begins at once, and goes on with what changes. */
  constructor(options: ReplicationPlannerOptions) {
    this.#options = options;
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
    const homes = (await records.homes()).filter(({ peer }) => peer === self).map(({ user }) => user);
    const users = await records.users();
    const generations = new Map(users.map(({ user }) => [user.owner, user.generation]));
    const databases = [
      { name: NETWORK_DATABASE },
      { name: STRIPES_DATABASE, selector: stripesSelector(self, homes) },
      ...userDatabases(homes, generations, await host.names()),
    ];
    update({ hosts: hosts.map(({ id, address }) => ({ id, address })), databases });
    await this.#forgetOldKeys(users.map(({ user }) => `${user.owner} ${String(user.version)}`).join('\n'));
  }

  /** A passphrase that was changed elsewhere leaves the former wrap in an old revision here too. */
  async #forgetOldKeys(users: string): Promise<void> {
    if (this.#users === users) return;
    await this.#options.network.compact();
    this.#users = users;
  }
}

/** The present generation of each user, and whichever others are here: one that was left behind, one that is being made. */
function userDatabases(
  homes: readonly UserId[],
  generations: ReadonlyMap<UserId, number>,
  names: readonly string[],
): ReplicatedDatabase[] {
  const wanted = new Set<string>();
  for (const user of homes) {
    const generation = generations.get(user);
    if (generation !== undefined) wanted.add(userDatabase(user, generation));
  }
  const here = new Set(homes);
  for (const name of names) {
    const parsed = parseUserDatabase(name);
    if (parsed !== undefined && here.has(parsed.user)) wanted.add(name);
  }
  return [...wanted].sort().map((name) => ({ name }));
}
