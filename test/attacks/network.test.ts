/** The records of a network in the hands of a backup host: policy, peers, states, homes; tombstones and higher generations. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { NETWORK_DATABASE } from '../../src/chunk/database-names.js';
import {
  NETWORK_RECORD_ID,
  peerRecordId,
  peerStateRecordId,
  writeNetwork,
  writePeer,
  writePeerState,
} from '../../src/catalog/records/network-records.js';
import { signedOf, toRecordDocument } from '../../src/catalog/records/record-kind.js';
import type { SignaturePurpose } from '../../src/crypto/labels.js';
import { signP256 } from '../../src/crypto/signature.js';
import { Signed } from '../../src/gen/shoal/v1/format.js';
import type { PeerRecord } from '../../src/peers/peer-record.js';
import { readIdentity } from '../../src/home.js';
import { Planet } from '../planet/planet.js';
import { alone, beside, Siege } from './siege.js';

describe('a backup host and the records of a network', () => {
  let siege: Siege;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (purpose: SignaturePurpose, body: Uint8Array): Uint8Array => signP256(purpose, body, privateKey);
  const issue = { counter: 1000, issuedMs: 1, sign };

  before(async () => {
    siege = await Siege.open();
  });
  after(() => siege[Symbol.asyncDispose]());

  async function network(): Promise<string> {
    return (await siege.planet.engine.catalog.network()).id;
  }

  async function profile(n: number): Promise<PeerRecord> {
    const found = (await siege.planet.peer(3).engine.catalog.peers()).find(({ id }) => id === siege.planet.id(n));
    assert.ok(found !== undefined);
    return found;
  }

  /** Serves it where it wins, and over the right one. */
  async function serve(type: string, id: string, signed: Uint8Array): Promise<void> {
    const forged = toRecordDocument(type, id, signed);
    await siege.plantTaken(NETWORK_DATABASE, beside(forged));
    await siege.assertTold(id, 1, 2, 3);
    await siege.plant(NETWORK_DATABASE, await siege.over(NETWORK_DATABASE, forged));
    await siege.assertUnharmed();
  }

  it('a policy that the authority did not sign', async () => {
    const policy = { name: 'evil', tolerate: 0, authorities: [siege.planet.id(2)] };
    await serve('network', NETWORK_RECORD_ID, writeNetwork(policy, await network(), issue));
    assert.notEqual((await siege.planet.peer(3).engine.catalog.network()).name, 'evil');
  });

  it('a peer that did not say so itself', async () => {
    const moved = { ...(await profile(2)), address: '127.0.0.1:1' };
    await serve('peer', peerRecordId(moved.id), writePeer(moved, await network(), issue));
    assert.notEqual((await profile(2)).address, moved.address);
  });

  it('the record of one peer under the name of another', async () => {
    const right = await siege.held(NETWORK_DATABASE, peerRecordId(siege.planet.id(2)));
    await serve('peer', peerRecordId(siege.planet.id(3)), signedOf(right, 'record'));
    assert.equal((await profile(3)).name, 'peer-3');
  });

  it('the removal of a peer that the authority did not sign', async () => {
    const state = { peer: siege.planet.id(2), state: 'removed' } as const;
    const id = peerStateRecordId(state.peer);
    const forged = toRecordDocument('peer-state', id, writePeerState(state, await network(), issue));
    await siege.plantTaken(NETWORK_DATABASE, alone(forged));
    await siege.assertTold(id, 3);
    await siege.assertUnharmed();
    assert.equal((await profile(2)).state, 'member');
  });

  it('a home that the user did not sign', async () => {
    const user = siege.planet.session.user;
    const id = `home-${user}-${siege.planet.id(2)}`;
    const right = Signed.decode(
      signedOf(await siege.held(NETWORK_DATABASE, `home-${user}-${siege.planet.id(3)}`), 'home'),
    );
    const forged = toRecordDocument('home', id, Signed.encode(right).finish());
    await siege.plantTaken(NETWORK_DATABASE, alone(forged));
    await siege.assertTold(id, 3);
    const homes = await siege.planet.engine.catalog.homes();
    assert.deepEqual(homes.map(({ peer }) => siege.planet.numberOf(peer)).toSorted(), [1, 3]);
  });

  it('tombstones over all of them', async () => {
    const ids = (await siege.heldIds(NETWORK_DATABASE, '')).filter((id) => !id.startsWith('_'));
    for (const _id of ids) {
      await siege.plant(NETWORK_DATABASE, await siege.over(NETWORK_DATABASE, { _id }, true), beside({ _id }, true));
    }
    await siege.assertUnharmed();
    assert.equal((await siege.planet.peer(3).engine.catalog.peers()).length, 3);
    assert.ok((await siege.refused(3, NETWORK_DATABASE)) > 0);
  });

  it('the records of another network', async () => {
    await using other = await Planet.open({ peers: 1, backupHosts: 0 });
    const { membership } = await readIdentity(other.home(1));
    const [stranger] = await other.engine.catalog.peers();
    assert.ok(stranger !== undefined && membership.signAsAuthority !== undefined);
    const theirs = { counter: 1001, issuedMs: 1 };
    const policy = { name: 'other', authorities: [stranger.id] };
    const named = writeNetwork(policy, membership.network, { ...theirs, sign: membership.signAsAuthority });
    await serve('network', NETWORK_RECORD_ID, named);
    const id = peerRecordId(stranger.id);
    const record = writePeer(stranger, membership.network, { ...theirs, sign: membership.signAsPeer });
    await siege.plantTaken(NETWORK_DATABASE, alone(toRecordDocument('peer', id, record)));
    await siege.assertTold(id, 3);
    assert.equal((await siege.planet.peer(3).engine.catalog.peers()).length, 3);
  });
});
