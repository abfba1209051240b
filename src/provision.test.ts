import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../test/contract/offer.js';
import { LocalCatalog } from './catalog/local-catalog.js';
import { networkIdOf } from './catalog/records/membership.js';
import { openDocuments } from './documents/level-documents.js';
import { HOME, readIdentity } from './home.js';
import { silentLogger } from './log.js';
import { provisionDevnet, type DevnetPeerRequest } from './provision.js';

function requests(count: number): DevnetPeerRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const n = index + 1;
    return { n, port: 20_000 + n, zone: `zone-${String(n)}`, name: `peer-${String(n)}` };
  });
}

async function openCatalog(home: string): Promise<LocalCatalog> {
  const { membership } = await readIdentity(home);
  const places = { directory: join(home, HOME.documents), state: join(home, HOME.state) };
  return LocalCatalog.open({ ...places, membership, logger: silentLogger() });
}

test('a devnet: signed records, the authority at the first peer, two backup hosts', async (context) => {
  const dir = await temporaryFolder(context);
  const { peers } = await provisionDevnet({ dir, peers: requests(3), tolerate: 1, passphrase: 'p' });
  const [first] = peers;
  assert.ok(first !== undefined);
  assert.equal((await stat(join(first.home, HOME.authorityKey))).mode & 0o777, 0o600);
  const leaves: unknown[] = [];
  for (const { n, id, home } of peers) {
    const identity = await readIdentity(home);
    assert.equal(identity.id, id);
    assert.equal(identity.membership.signAsAuthority !== undefined, n === 1);
    await using catalog = await openCatalog(home);
    const network = await catalog.network();
    assert.equal(network.id, networkIdOf(await readFile(join(home, HOME.authority), 'utf8')));
    assert.equal(network.tolerate, 1);
    const known = [...(await catalog.peers())].sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(
      known.map(({ name, backup, state }) => ({ name, backup, state })),
      [true, true, false].map((backup, index) => ({ name: `peer-${String(index + 1)}`, backup, state: 'member' })),
    );
    assert.deepEqual(
      (await catalog.users()).map(({ name }) => name),
      ['demo'],
    );
    assert.deepEqual(await catalog.problems(), []);
    await catalog.close();
    await using database = await openDocuments(join(home, HOME.documents), 'network');
    leaves.push(
      await Promise.all(['network', ...peers.map((peer) => `peer-${peer.id}`)].map((id) => database.leaves(id))),
    );
  }
  assert.deepEqual(leaves[1], leaves[0], 'the same revisions everywhere: replication finds nothing to do');
  assert.deepEqual(leaves[2], leaves[0]);
});

test('as many backup hosts as are asked for, and no more than there are peers', async (context) => {
  for (const { count, asked, expected } of [
    { count: 1, asked: {}, expected: 1 },
    { count: 2, asked: { backupHosts: 0 }, expected: 0 },
    { count: 2, asked: { backupHosts: 9 }, expected: 2 },
  ]) {
    const dir = await temporaryFolder(context);
    const { peers } = await provisionDevnet({ dir, peers: requests(count), passphrase: 'p', ...asked });
    await using catalog = await openCatalog(peers[0]?.home ?? '');
    assert.equal((await catalog.peers()).filter(({ backup }) => backup).length, expected);
  }
});
