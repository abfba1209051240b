import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KnownUser } from '../catalog/users/user-records.js';
import { userDatabase } from '../chunk/database-names.js';
import { parsePeerId, parseUserId } from '../chunk/ids.js';
import type { BackupDatabases } from '../documents/couch/backup-databases.js';
import type { SecurityPart } from '../documents/security.js';
import type { StorageError } from '../errors.js';
import { silentLogger } from '../log.js';
import { Provisioner } from './provisioner.js';

const USER = parseUserId('a'.repeat(64));
const [P, Q] = [parsePeerId('1'.repeat(64)), parsePeerId('2'.repeat(64))];

class FakeDatabases implements BackupDatabases {
  readonly members = new Map<string, SecurityPart>();
  readonly filled = new Set<string>();
  compactions = 0;
  failure: StorageError | undefined;

  async names(): Promise<readonly string[]> {
    return [...this.members.keys()].sort();
  }

  async provide(name: string, members: SecurityPart): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.members.set(name, members);
  }

  async drop(name: string): Promise<void> {
    this.members.delete(name);
  }

  async isFilled(name: string): Promise<boolean> {
    return this.filled.has(name);
  }

  async compact(): Promise<void> {
    this.compactions++;
  }
}

describe('what a backup host provides', () => {
  let databases: FakeDatabases, provisioner: Provisioner, homes: { user: typeof USER; peer: typeof P }[];
  let users: KnownUser[];
  let changed: () => void;

  const user = (generation: number, version: number): KnownUser =>
    ({ user: { owner: USER, generation, version }, signed: new Uint8Array() }) as unknown as KnownUser;
  const namesOf = (generation: number): readonly string[] | undefined =>
    databases.members.get(userDatabase(USER, generation))?.names;
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 1000) assert.fail('it never came to this');
      changed();
      await delay(2);
    }
  };

  beforeEach(() => {
    databases = new FakeDatabases();
    homes = [];
    users = [];
    changed = () => undefined;
    provisioner = new Provisioner({
      databases,
      records: { homes: async () => homes, users: async () => users },
      network: {
        sequence: async () => '0',
        async *changes({ signal }) {
          await new Promise<void>((resolve) => {
            changed = resolve;
            signal.addEventListener('abort', () => resolve());
          });
          yield [];
        },
      },
      logger: silentLogger(),
      retiredMs: 0,
    });
  });
  afterEach(() => provisioner.close());

  it('the two databases of all, at once', async () => {
    await until(() => databases.members.size === 2);
    assert.deepEqual(databases.members.get('network'), { names: [], roles: ['shoal-peer'] });
    assert.deepEqual(databases.members.get('stripes'), { names: [], roles: ['shoal-peer'] });
  });

  it("a user's, for the peers where the user is at home, as long as that is so", async () => {
    homes = [
      { user: USER, peer: Q },
      { user: USER, peer: P },
      { user: parseUserId('b'.repeat(64)), peer: P },
    ];
    users = [user(1, 1)];
    await until(() => namesOf(1) !== undefined);
    assert.deepEqual(namesOf(1), [`peer-${P}`, `peer-${Q}`]);
    assert.equal(databases.members.size, 4, 'a user of whom nothing is known has none; the next generation has one');
    homes = [{ user: USER, peer: Q }];
    await until(() => namesOf(1)?.length === 1);
    homes = [];
    await until(() => namesOf(1)?.length === 0);
  });

  it('one for each generation of keys, and deletes those that are over', async () => {
    homes = [{ user: USER, peer: P }];
    users = [user(1, 1)];
    await until(() => namesOf(2) !== undefined);
    users = [user(2, 2)];
    await until(() => namesOf(3) !== undefined);
    for (let rounds = 0; rounds < 5; rounds++) {
      changed();
      await delay(2);
    }
    assert.deepEqual(namesOf(1), [`peer-${P}`], 'as long as the next one is empty, it is kept');
    databases.filled.add(userDatabase(USER, 2));
    await until(() => namesOf(1) === undefined);
    assert.deepEqual(namesOf(2), [`peer-${P}`]);
  });

  it('forgets what was replaced when a user changed something', async () => {
    users = [user(1, 1)];
    await until(() => databases.compactions === 1);
    users = [user(1, 2)];
    await until(() => databases.compactions === 2);
  });
});
