import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { noHeads, samplePeer } from '../../../test/contract/catalog-users.js';
import { MemoryHomes } from '../../../test/contract/memory-homes.js';
import { MemoryHost } from '../../../test/contract/memory-host.js';
import { UserStore } from '../../../test/contract/user-store.js';
import { silentLogger } from '../../log.js';
import { Accounts } from './accounts.js';
import { OpenUser } from './open-user.js';
import { UserAccess } from './user-access.js';
import { UserGenerations } from './user-generations.js';
import { UserWatch } from './user-watch.js';

const peer = samplePeer(1);
const logger = silentLogger();
const now = (): number => 1_700_000_000_000;

interface Subject {
  readonly store: UserStore;
  readonly access: UserAccess;
  readonly pendingHosts: string[];
}

async function open(context: TestContext): Promise<Subject> {
  const store = await UserStore.open(context);
  const host = new MemoryHost();
  const pendingHosts: string[] = [];
  const access = new UserAccess({
    records: store,
    peer,
    async open(user, ring) {
      const options = { user: user.owner, host, peer, peerName: 'attic', logger, now };
      const generations = new UserGenerations({ ...options, homes: async () => [], heads: noHeads(silentLogger()) });
      return OpenUser.open({ user, ring, peer, logger, generations, home: new MemoryHomes().at(peer) });
    },
    networkName: async () => 'home',
    pendingHosts: async () => pendingHosts,
    logger,
    now,
  });
  const watch = await UserWatch.open({
    database: store.database,
    logger,
    onChange: (user) => access.recheck(user),
    onHome: (user) => access.lookAgain(user),
    catchUp: () => access.recheckAll(),
  });
  context.after(async () => {
    await watch.close();
    await access.close();
  });
  return { store, access, pendingHosts };
}

test('a passphrase that was changed at another peer locks the user here', async (context) => {
  const { store, access } = await open(context);
  const { id } = await access.createUser('ann', 'old');
  await access.createUser('bob', 'p');
  const elsewhere = new Accounts(await UserStore.open(context), { now });
  await elsewhere.import(await access.exportUser('ann'));
  await elsewhere.changePassphrase('ann', 'old', 'new');
  const [ann, bob] = [await access.unlock('ann', 'old'), await access.unlock('bob', 'p')];

  await store.inject(id, await elsewhere.export('ann'));
  while (access.isUnlocked(ann)) await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => access.use(ann), { code: 'LOCKED' });
  assert.equal(access.isUnlocked(bob), true);
  await assert.rejects(access.unlock('ann', 'old'), { code: 'UNAUTHENTICATED' });
  assert.equal((await access.unlock('ann', 'new')).user, id);
});

test('what this peer has changed itself keeps the sessions that it should', async (context) => {
  const { access, pendingHosts } = await open(context);
  await access.createUser('ann', 'p');
  const [one, two] = [await access.unlock('ann', 'p'), await access.unlock('ann', 'p')];
  pendingHosts.push('cellar');
  const sheet = await access.makeKit('ann', 'p');
  assert.deepEqual([sheet.pendingHosts, sheet.network, sheet.words.length], [['cellar'], 'home', 24]);
  for await (const { generation } of access.rotateKeys(one, 'p')) assert.equal(generation, 2);
  await access.recheckAll();
  assert.ok(access.isUnlocked(one) && access.isUnlocked(two));
  assert.deepEqual(await access.with(two, (catalog) => catalog.list('/', true)), []);
  await access.changePassphrase({ name: 'ann', old: 'p', next: 'q', keep: two });
  await access.recheckAll();
  assert.deepEqual([access.isUnlocked(one), access.isUnlocked(two)], [false, true]);
  await access.lock(two);
  assert.equal((await access.users())[0]?.unlocked, false);
});

test('leaving the iteration pauses a rotation, and asking for another goes on with it', async (context) => {
  const { access } = await open(context);
  await access.createUser('ann', 'p');
  const session = await access.unlock('ann', 'p');
  for await (const rotation of access.rotateKeys(session, 'p')) {
    assert.equal(rotation.state, 'running');
    break;
  }
  const { state, generation } = access.keyRotation(session);
  assert.equal(generation, 2);
  const told = [];
  for await (const rotation of access.rotateKeys(session, 'p')) told.push(rotation);
  const expected = state === 'running' ? 2 : 3;
  assert.deepEqual([told.at(-1)?.generation, told.at(-1)?.state], [expected, 'none']);
});
