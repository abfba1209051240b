import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { HomeRecord } from '../catalog/records/home-record.js';
import type { KnownUser } from '../catalog/users/user-records.js';
import { userDatabase } from '../chunk/database-names.js';
import { parsePeerId, parseUserId } from '../chunk/ids.js';
import type { BackupDatabases } from '../documents/couch/backup-databases.js';
import type { SecurityPart } from '../documents/security.js';
import type { StorageError } from '../errors.js';
import { AWAITED_DATABASE_MS, RETIRED_DATABASE_MS } from '../limits.js';
import { silentLogger } from '../log.js';
import { Provisioner } from './provisioner.js';

const NOW_MS = 1_700_000_000_000;
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
  let databases: FakeDatabases, provisioner: Provisioner, homes: HomeRecord[], nowMs: number;
  let users: KnownUser[];
  let changed: () => void;

  const home = (peer: typeof P, generation: number, more: Partial<HomeRecord> = {}): HomeRecord => {
    return { user: USER, peer, generation, gone: false, issuedMs: NOW_MS, ...more };
  };
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
    nowMs = NOW_MS;
    changed = () => undefined;
    provisioner = open();
  });
  const open = (): Provisioner =>
    new Provisioner({
      databases,
      records: { homeRecords: async () => homes, users: async () => users },
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
      nowMs: () => nowMs,
    });
  afterEach(() => provisioner.close());

  it('the two databases of all, at once', async () => {
    await until(() => databases.members.size === 2);
    assert.deepEqual(databases.members.get('network'), { names: [], roles: ['shoal-peer'] });
    assert.deepEqual(databases.members.get('stripes'), { names: [], roles: ['shoal-peer'] });
  });

  it("a user's, for the peers where the user is at home, as long as that is so", async () => {
    homes = [home(Q, 1), home(P, 0), home(P, 1, { user: parseUserId('b'.repeat(64)) })];
    users = [user(1, 1)];
    await until(() => namesOf(1) !== undefined);
    assert.deepEqual(namesOf(1), [`peer-${P}`, `peer-${Q}`]);
    assert.equal(databases.members.size, 4, 'a user of whom nothing is known has none; the next generation has one');
    homes = [home(Q, 1), home(P, 0, { gone: true })];
    await until(() => namesOf(1)?.length === 1);
    homes = [home(Q, 1, { gone: true })];
    await until(() => namesOf(1)?.length === 0);
  });

  describe('of former keys', () => {
    const rounds = async (): Promise<void> => {
      const { compactions } = databases;
      // Each round forgets what a new version replaces.
      const [{ user: { generation, version } } = { user: { generation: 0, version: 0 } }] = users;
      users = [user(generation, version + 1)];
      await until(() => databases.compactions > compactions);
    };

    beforeEach(async () => {
      homes = [home(P, 1), home(Q, 1)];
      users = [user(1, 1)];
      await until(() => namesOf(2) !== undefined);
      users = [user(2, 2)];
      await until(() => namesOf(3) !== undefined);
      databases.filled.add(userDatabase(USER, 2));
    });

    it('is kept until a while after every home has the new ones', async () => {
      homes = [home(P, 2), home(Q, 1)];
      nowMs += 2 * RETIRED_DATABASE_MS;
      await rounds();
      assert.deepEqual(namesOf(1), [`peer-${P}`, `peer-${Q}`]);
      homes = [home(P, 2), home(Q, 2, { issuedMs: nowMs })];
      await rounds();
      assert.deepEqual(namesOf(1), [`peer-${P}`, `peer-${Q}`]);
      nowMs += RETIRED_DATABASE_MS;
      await until(() => namesOf(1) === undefined);
      assert.deepEqual(namesOf(2), [`peer-${P}`, `peer-${Q}`]);
      await rounds();
      assert.equal(namesOf(1), undefined);
    });

    it('is kept for as long as nobody has the new ones whole, and where those are not at all', async () => {
      nowMs += 2 * AWAITED_DATABASE_MS;
      await rounds();
      assert.ok(namesOf(1));
      homes = [home(P, 2), home(Q, 2)];
      databases.filled.clear();
      await rounds();
      assert.ok(namesOf(1));
    });

    it('is not kept for ever for a home that does not come back', async () => {
      homes = [home(P, 2), home(Q, 1)];
      nowMs += AWAITED_DATABASE_MS;
      await until(() => namesOf(1) === undefined);
      await rounds();
      assert.equal(namesOf(1), undefined);
    });

    it('is open to the homes that there are', async () => {
      homes = [home(P, 2), home(Q, 1, { gone: true })];
      await until(() => namesOf(1)?.length === 1);
      assert.deepEqual(namesOf(1), [`peer-${P}`]);
    });

    it('is made where a home still has something to push into it', async () => {
      homes = [home(P, 2), home(Q, 1)];
      databases.members.delete(userDatabase(USER, 1));
      await provisioner.close();
      provisioner = open();
      await until(() => namesOf(1)?.length === 2);
    });
  });

  it('forgets what was replaced when a user changed something', async () => {
    users = [user(1, 1)];
    await until(() => databases.compactions === 1);
    users = [user(1, 2)];
    await until(() => databases.compactions === 2);
  });
});
