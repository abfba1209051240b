/** A backup host that goes back to an old state: of a user's secrets, of who is a member, of everything. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NETWORK_DATABASE, STRIPES_DATABASE } from '../../src/chunk/database-names.js';
import type { IncomingRevision } from '../../src/documents/pouch.js';
import { userDocumentId } from '../../src/catalog/users/user-document.js';
import { peerStateRecordId } from '../../src/catalog/records/network-records.js';
import { StorageError } from '../../src/errors.js';
import { HOME } from '../../src/home.js';
import { paths, put } from '../planet/files.js';
import { PASSPHRASE } from '../planet/planet.js';
import { until } from '../replication/stage.js';
import { beside, Siege } from './siege.js';

const NEXT = 'the passphrase after that';
/** What a peer knows. */
const FOLDERS = [HOME.documents, HOME.state] as const;
const LATER = new TextEncoder().encode('put after the old state');

describe('a backup host that serves an old state', () => {
  let siege: Siege;
  let databases: readonly string[];
  /** Every document of each, as it was at first. */
  const old = new Map<string, IncomingRevision[]>();

  before(async () => {
    siege = await Siege.open();
    databases = [NETWORK_DATABASE, STRIPES_DATABASE, siege.catalogName];
    for (const name of databases) {
      const ids = (await siege.heldIds(name, '')).filter((id) => !id.startsWith('_'));
      old.set(name, await Promise.all(ids.map((id) => siege.held(name, id))));
    }
    await siege.planet.stop(3);
    for (const folder of FOLDERS) {
      const place = join(siege.planet.home(3), folder);
      await cp(place, `${place}.old`, { recursive: true });
    }
    await siege.planet.start(3);
    await siege.planet.engine.catalog.changePassphrase({ name: 'demo', old: PASSPHRASE, next: NEXT });
    await siege.planet.peer(1).sessions.lock('demo');
    await siege.planet.peer(1).sessions.unlock('demo', NEXT);
    siege.planet.renewSession();
    await put(siege.planet, '/later', LATER);
    await siege.planet.engine.catalog.setPeerState(siege.planet.id(2), 'removed');
    await until('peer 3 has heard', async () => (await stateAt(3)) === 'removed');
    await siege.planet.peer(3).sessions.unlock('demo', NEXT);
    await siege.arrives(3, '/later');
  });
  after(() => siege[Symbol.asyncDispose]());

  async function stateAt(n: number): Promise<string | undefined> {
    const peers = await siege.planet.peer(n).engine.catalog.peers();
    return peers.find(({ id }) => id === siege.planet.id(2))?.state;
  }

  /** All that the host has is what it had at first. */
  async function goBack(): Promise<void> {
    for (const name of databases) {
      await siege.couch.drop(name);
      await siege.provide(name);
      await siege.plant(name, ...(old.get(name) ?? []));
    }
  }

  it('takes nothing from peers that have seen more, and is given it again', async () => {
    // A peer notices when it connects anew, at the latest.
    await siege.planet.stop(1);
    await goBack();
    await siege.planet.start(1, NEXT);
    const id = peerStateRecordId(siege.planet.id(2));
    await siege.held(NETWORK_DATABASE, id);
    for (const n of [1, 3]) {
      assert.equal(await stateAt(n), 'removed');
      await siege.planet.peer(n).sessions.lock('demo');
      await assert.rejects(siege.planet.peer(n).sessions.unlock('demo', PASSPHRASE), { code: 'UNAUTHENTICATED' });
      await siege.planet.peer(n).sessions.unlock('demo', NEXT);
      assert.ok((await paths(siege.desk(n))).includes('/later'));
    }
    siege.planet.renewSession();
  });

  it('old records that win in CouchDB are ended', async () => {
    const id = userDocumentId(siege.planet.session.user);
    const former = old.get(NETWORK_DATABASE)?.find(({ _id }) => _id === id);
    assert.ok(former !== undefined);
    const planted = beside(former);
    await siege.plantTaken(NETWORK_DATABASE, planted);
    await assert.rejects(siege.planet.peer(3).sessions.unlock('demo', PASSPHRASE), { code: 'UNAUTHENTICATED' });
    await until('its leaf is ended', async () =>
      (await siege.leaves(3, NETWORK_DATABASE, id)).every(({ rev, deleted }) => deleted || rev !== planted._rev),
    );
  });

  it('is found out by a peer that lost its databases and not its memory', async () => {
    const { user } = siege.planet.session;
    await siege.planet.stop(3);
    await rm(join(siege.planet.home(3), HOME.documents), { recursive: true });
    await siege.planet.stop(1);
    await goBack();
    // Alone: what peer 1 knows would reach the host before peer 3 has looked.
    await siege.planet.start(3);
    await siege.assertTold(userDocumentId(user), 3);
    await siege.planet.start(1, NEXT);
    assert.equal(await stateAt(3), 'removed');
    const problems = (await siege.status(3)).problems.filter(({ kind }) => kind === 'replayed');
    assert.ok(problems.length > 0, 'the status says that an older state was served');
    await assert.rejects(siege.planet.peer(3).sessions.unlock('demo', PASSPHRASE), { code: 'UNAUTHENTICATED' });
    await siege.planet.peer(3).sessions.unlock('demo', NEXT);
  });

  it('deceives a peer that remembers nothing, until any other brings what is newer: that is the limit', async () => {
    await siege.planet.stop(1, 3);
    await goBack();
    for (const folder of FOLDERS) {
      const place = join(siege.planet.home(3), folder);
      await rm(place, { recursive: true });
      await cp(`${place}.old`, place, { recursive: true });
    }
    await siege.planet.start(3);
    await siege.planet.peer(3).sessions.unlock('demo', PASSPHRASE);
    assert.deepEqual((await paths(siege.desk(3))).toSorted(), [...siege.files.keys()].toSorted());
    assert.equal(await stateAt(3), 'member');
    await siege.planet.start(1, NEXT);
    await until('the removal comes', async () => (await stateAt(3)) === 'removed');
    await until('the old passphrase is dead', async () => !(await opens(3)));
    await siege.planet.peer(3).sessions.unlock('demo', NEXT);
    await siege.arrives(3, '/later');
  });

  async function opens(n: number): Promise<boolean> {
    try {
      await siege.planet.peer(n).sessions.unlock('demo', PASSPHRASE);
      return true;
    } catch (error) {
      if (!StorageError.is(error, 'UNAUTHENTICATED')) throw error;
      return false;
    }
  }
});
