import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { createAuthority } from '../crypto/certificates.js';
import { StorageError, type ErrorCode } from '../errors.js';
import { silentLogger } from '../log.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import { Administration, type AdministrationOptions, onePeer } from './administration.js';
import { newIdentity } from './create-network.js';

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => StorageError.is(error, code);
}

function peer(name: string, id: string, changes: Partial<PeerRecord> = {}): PeerRecord {
  const described = { zone: '', capacityBytes: 1, backup: false, state: 'member' as const };
  return {
    ...{ id: parsePeerId(id.padEnd(64, '0')), name, address: 'there:1', certificate: new Uint8Array() },
    ...described,
    ...changes,
  };
}

describe('the peer that is meant', () => {
  const peers = [
    peer('attic', 'aaaaaaaa'),
    peer('nas', 'aaaaaaab'),
    peer('nas', 'bbbbbbbb'),
    peer('cccccccc', 'dddddddd'),
  ];

  it('is named, or said by digits of its id; a name comes first', () => {
    assert.equal(onePeer(peers, 'attic').name, 'attic');
    assert.equal(onePeer(peers, 'bbbbbbbb').name, 'nas');
    assert.equal(onePeer(peers, 'cccccccc').id, 'dddddddd'.padEnd(64, '0'));
  });

  it('is not guessed', () => {
    assert.throws(() => onePeer(peers, 'nas'), isCode('CONFLICT'));
    for (const meant of ['att', 'aaaaaaa', '', 'eeeeeeee'])
      assert.throws(() => onePeer(peers, meant), isCode('NOT_FOUND'));
  });

  it('is one that was not removed, where there is one', () => {
    const both = [peer('x', 'aaaaaaaa', { state: 'removed' }), peer('x', 'bbbbbbbb')];
    assert.equal(onePeer(both, 'x').state, 'member');
    assert.equal(onePeer(both.slice(0, 1), 'x').state, 'removed');
  });
});

describe('administration', () => {
  let home: string;
  let administration: Administration;
  let peers: PeerRecord[];
  let own: PeerRecord;
  const written: string[] = [];
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'shoal-administration-'));
    const authority = await createAuthority('test', Date.now());
    const { membership } = await newIdentity(authority, { name: 'own', nowMs: Date.now(), isAuthority: true });
    own = peer('own', membership.peer, { backup: true, certificate: membership.certificate });
    peers = [own, peer('other', 'aaaaaaaa', { backup: true }), peer('third', 'bbbbbbbb')];
    const catalog = {
      peers: async () => peers,
      network: async () => ({ name: 'test', authorities: [], id: '', authority: '' }),
      setNetwork: () => assert.fail('nobody asks'),
      setPeer: async (profile: PeerProfile) => {
        written.push(`peer ${profile.name} ${profile.address}`);
        peers = peers.map((each) => (each.id === profile.id ? { ...profile, state: each.state } : each));
      },
      setPeerState: async (id: PeerId, state: PeerRecord['state']) => {
        written.push(`${state} ${id.slice(0, 8)}`);
        peers = peers.map((each) => (each.id === id ? { ...each, state } : each));
      },
    };
    const roll = {
      setAuthority: async (id: PeerId, holds: boolean) =>
        void written.push(`authority ${id.slice(0, 8)} ${String(holds)}`),
    };
    const enrolment = {} as AdministrationOptions['enrolment'];
    administration = new Administration({ home, membership, enrolment, catalog, roll, logger: silentLogger() });
  });
  after(() => rm(home, { recursive: true, force: true }));

  it('changes what this peer says of itself, and its settings with it', async () => {
    await administration.setOwn({ address: 'nas.example:1', capacityBytes: 5, zone: 'cellar' });
    assert.deepEqual(written.splice(0), ['peer own nas.example:1']);
    assert.deepEqual(JSON.parse(await readFile(join(home, 'config.json'), 'utf8')), {
      address: 'nas.example:1',
      capacityBytes: 5,
    });
    for (const address of ['0.0.0.0:1', '[::]:1', 'nas.example', ':1']) {
      await assert.rejects(administration.setOwn({ address }), isCode('INVALID_ARGUMENT'), address);
    }
    for (const changes of [{ name: 'nas\u202e' }, { zone: 'att\u200bic' }, { name: '' }]) {
      await assert.rejects(administration.setOwn(changes), isCode('INVALID_ARGUMENT'), JSON.stringify(changes));
    }
    assert.deepEqual(written, []);
  });

  it('tells a peer to leave, once, and to stay after all; but not when the others are too few', async () => {
    await assert.rejects(administration.drain('third', true), isCode('TOO_FEW_PEERS'));
    peers = [...peers, peer('fourth', 'cccccccc')];
    assert.equal((await administration.drain('third', true)).state, 'draining');
    await administration.drain('third', true);
    await assert.rejects(administration.drain('fourth', true), isCode('TOO_FEW_PEERS'));
    assert.equal((await administration.drain('third', false)).state, 'member');
    assert.deepEqual(written.splice(0), ['draining bbbbbbbb', 'member bbbbbbbb']);
    peers = [...peers.slice(0, 3), peer('fourth', 'cccccccc', { state: 'removed' })];
    await assert.rejects(administration.drain('fourth', true), isCode('CONFLICT'));
    peers = peers.slice(0, 3);
  });

  it('removes a peer and its role, once, and neither itself nor the last backup host', async () => {
    await assert.rejects(administration.remove('own'), isCode('CONFLICT'));
    await administration.remove('other');
    await administration.remove('other');
    assert.deepEqual(written.splice(0), ['removed aaaaaaaa', 'authority aaaaaaaa false']);
    await assert.rejects(administration.setOwn({ backup: false }), isCode('CONFLICT'));
    peers = peers.map((each) => (each.name === 'third' ? { ...each, backup: true } : { ...each, backup: false }));
    await assert.rejects(administration.remove('third'), isCode('CONFLICT'));
    assert.deepEqual(written, []);
  });
});
