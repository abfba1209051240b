import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CodedNetwork, type NetworkOptions } from '../../test/contract/coded-network.js';
import { NEVER } from '../../test/contract/offer.js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { LeftHere } from '../healing/leaving.js';
import { HOME } from '../home.js';
import { DEPARTURE_STALL_MS, DEPARTURE_SURVEY_MS } from '../limits.js';
import { silentLogger } from '../log.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { onePeer } from './administration.js';
import { Drains, type DrainsOptions } from './drains.js';

/** Five peers with a stripe of a chunk at each: none has another place. */
class Leaving {
  readonly network: CodedNetwork;
  readonly home: string;
  nowMs = 1_700_000_000_000;
  /** What a peer says of itself; each has one chunk left unless told otherwise. */
  count: (peer: PeerId) => Promise<LeftHere> = () => Promise.resolve(this.counted(1));
  remove: (peer: PeerId) => void = (peer) => this.set(peer, 'removed');
  /** They answer no ping. */
  readonly silent = new Set<PeerId>();
  /** For the grace period. */
  readonly gone = new Set<PeerId>();

  private constructor(network: CodedNetwork, home: string) {
    this.network = network;
    this.home = home;
  }

  static async open(options: NetworkOptions = { k: 4, m: 1 }): Promise<Leaving> {
    const home = await mkdtemp(join(tmpdir(), 'shoal-drains-'));
    after(() => rm(home, { recursive: true }));
    await mkdir(join(home, HOME.state));
    return new Leaving(await CodedNetwork.open(options), home);
  }

  /** Counted anew each time. */
  counted(chunks: number): LeftHere {
    this.nowMs++;
    return { chunks, bytes: chunks * this.network.record.chunkBytes, countedMs: this.nowMs };
  }

  drains(): Drains {
    const { catalog, book, self } = this.network;
    const peers = (): Promise<readonly PeerRecord[]> => Promise.resolve(book.list());
    const demandMayLeave = async (meant: string): Promise<PeerRecord> => onePeer(await peers(), meant);
    const drain = async (meant: string, isLeaving: boolean): Promise<PeerRecord> => {
      const { id, state } = onePeer(await peers(), meant);
      if (state === 'removed') throw new StorageError('CONFLICT', 'It was removed.');
      return this.set(id, isLeaving ? 'draining' : 'member');
    };
    const remove = async (meant: string): Promise<PeerRecord> => {
      const { id } = onePeer(await peers(), meant);
      this.remove(id);
      return onePeer(await peers(), id);
    };
    const links = {
      store: (id: PeerId) => this.network.links.store(id),
      remote: (id: PeerId) => ({ countLeft: () => this.count(id) }),
      pingAll: () => Promise.resolve(new Map(book.list().map(({ id }) => [id, this.silent.has(id) ? undefined : 1]))),
    } as unknown as DrainsOptions['links'];
    const administration = { self, peers, demandMayLeave, drain, remove };
    const clock = (): number => this.nowMs;
    const gone = (): Promise<ReadonlySet<PeerId>> => Promise.resolve(this.gone);
    return new Drains({ home: this.home, administration, catalog, book, links, gone, clock, logger: silentLogger() });
  }

  set(id: PeerId, state: PeerRecord['state']): PeerRecord {
    const { book } = this.network;
    book.update(book.list().map((peer) => (peer.id === id ? { ...peer, state } : peer)));
    const changed = book.get(id);
    assert.ok(changed !== undefined);
    return changed;
  }

  /** Without a chunk, and with room. */
  join(): PeerId {
    const { book } = this.network;
    const id = parsePeerId('f'.repeat(64));
    const [first] = book.list();
    assert.ok(first !== undefined);
    book.update([...book.list(), { ...first, id, name: 'peer-new', capacityBytes: 1e9 }]);
    return id;
  }

  state(n: number): string | undefined {
    return this.network.book.get(this.id(n))?.state;
  }

  id(n: number): PeerId {
    const id = this.network.peers[n];
    assert.ok(id !== undefined);
    return id;
  }
}

async function rounds(drains: Drains, times = 4): Promise<void> {
  for (let i = 0; i < times; i++) await drains.round(NEVER);
}

describe('seeing peers off', () => {
  it('never ends with fewer than k chunks, when two are told to leave by force', async () => {
    const leaving = await Leaving.open();
    await using drains = leaving.drains();
    // Each was possible when it was begun.
    await Promise.all([drains.begin('peer-3', true, NEVER), drains.begin('peer-4', true, NEVER)]);
    for (let i = 0; i < 5; i++) {
      await rounds(drains);
      leaving.nowMs += DEPARTURE_SURVEY_MS;
    }
    assert.deepEqual([leaving.state(3), leaving.state(4)], ['draining', 'draining'], 'no stripe would have 4');
    assert.match((await drains.status('peer-3')).reason ?? '', /is needed/);
    await drains.cancel('peer-4');
    leaving.nowMs += DEPARTURE_SURVEY_MS;
    await rounds(drains);
    assert.deepEqual([leaving.state(3), leaving.state(4)], ['removed', 'member']);
    await assert.rejects(drains.begin('peer-4', true, NEVER), { code: 'TOO_FEW_PEERS' });
  });

  it('looks at the records again before it puts anybody out', async () => {
    const leaving = await Leaving.open();
    await using drains = leaving.drains();
    leaving.count = () => Promise.resolve({ chunks: 0, bytes: 0, countedMs: 0 });
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    leaving.set(leaving.id(4), 'removed');
    leaving.count = () => Promise.resolve(leaving.counted(1));
    await rounds(drains);
    assert.equal(leaving.state(3), 'draining', 'it was possible when the records were last looked at');
  });

  it('goes by what the others hold, and not by whether they answer', async () => {
    const leaving = await Leaving.open();
    const { stores, record } = leaving.network;
    const [, lost] = record.chunks;
    assert.ok(lost !== undefined);
    await stores[1]?.delete(record.owner, [lost], { signal: NEVER });
    await using drains = leaving.drains();
    await assert.rejects(drains.begin('peer-3', true, NEVER), { code: 'TOO_FEW_PEERS', message: /could not be read/ });
  });

  it('begins with no peer that does not answer as another place, and ends with none that is gone', async () => {
    const leaving = await Leaving.open();
    const free = leaving.join();
    leaving.silent.add(free);
    await using drains = leaving.drains();
    leaving.gone.add(free);
    await assert.rejects(drains.begin('peer-3', false, NEVER), {
      code: 'TOO_FEW_PEERS',
      message: /^(?!.*peer-new).*does not answer/,
    });
    leaving.gone.delete(free);
    await assert.rejects(drains.begin('peer-3', false, NEVER), {
      code: 'TOO_FEW_PEERS',
      message: /1 chunk of these could go to peer-new, .*waited for until .* with --force too/,
    });
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    assert.equal(leaving.state(3), 'draining', 'the one that is free may be back in a minute');
    leaving.gone.add(free);
    leaving.nowMs += DEPARTURE_SURVEY_MS;
    await rounds(drains);
    assert.equal(leaving.state(3), 'removed', 'nobody could take what is left there');
  });

  for (const forced of [true, false]) {
    it(`says which silent peer it waits for${forced ? ', by force too' : ''}, while it does`, async () => {
      const leaving = await Leaving.open();
      const free = leaving.join();
      await using drains = leaving.drains();
      const reason = async (): Promise<string | undefined> => (await drains.status('peer-3')).reason;
      const later = async (): Promise<void> => {
        leaving.nowMs += DEPARTURE_SURVEY_MS;
        await rounds(drains, 1);
      };
      await drains.begin('peer-3', forced, NEVER);
      await rounds(drains, 1);
      assert.equal(await reason(), undefined);
      leaving.silent.add(free);
      await later();
      const awaited = /1 chunk of peer-3 has no other place than peer-new, .*waited for until it does or is gone/;
      assert.match((await reason()) ?? '', awaited);
      let meanwhile: string | undefined;
      leaving.count = async () => {
        meanwhile = await reason();
        return leaving.counted(1);
      };
      await later();
      assert.match(meanwhile ?? '', awaited, 'and all the time');
      if (forced) {
        await drains.begin('peer-3', true, NEVER);
        assert.match((await reason()) ?? '', awaited, 'at once');
      }
      leaving.silent.delete(free);
      await later();
      assert.equal(await reason(), undefined);
    });
  }

  it('waits for a chunk that a peer could take', async () => {
    const leaving = await Leaving.open();
    leaving.join();
    await using drains = leaving.drains();
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    assert.equal(leaving.state(3), 'draining');
  });

  it('puts nobody out who does not say what is left there, and names what does', async () => {
    const leaving = await Leaving.open();
    leaving.network.book.update(leaving.network.book.list().map((peer) => ({ ...peer, backup: true })));
    await using drains = leaving.drains();
    leaving.network.known.clear();
    leaving.count = () => Promise.reject(new StorageError('UNAVAILABLE', 'It is off.'));
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    assert.equal(leaving.state(3), 'draining');
    assert.match((await drains.status('peer-3')).reason ?? '', /shoal peer remove peer-3/);
  });

  it('believes no count that may be from before the peer was told to leave', async () => {
    const leaving = await Leaving.open();
    await using drains = leaving.drains();
    leaving.count = () => Promise.resolve({ chunks: 0, bytes: 0, countedMs: 7 });
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    assert.equal(leaving.state(3), 'draining');
    leaving.count = () => Promise.resolve({ chunks: 0, bytes: 0, countedMs: 8 });
    leaving.nowMs += DEPARTURE_SURVEY_MS;
    await rounds(drains);
    assert.equal(leaving.state(3), 'removed');
  });

  for (const again of [false, true]) {
    it(`removes nobody who was told ${again ? 'anew, without force' : 'to stay'} while it was being looked at`, async () => {
      const leaving = await Leaving.open();
      await using drains = leaving.drains();
      await drains.begin('peer-3', true, NEVER);
      await drains.round(NEVER);
      leaving.count = async () => {
        leaving.count = () => Promise.resolve(leaving.counted(1));
        if (again) await drains.begin('peer-3', false, NEVER);
        else assert.equal((await drains.cancel('peer-3')).phase, 'member');
        return leaving.counted(1);
      };
      leaving.nowMs += DEPARTURE_SURVEY_MS;
      await rounds(drains);
      assert.equal(leaving.state(3), again ? 'draining' : 'member');
      const saved = await readFile(join(leaving.home, HOME.state, 'drains.json'), 'utf8');
      assert.deepEqual(JSON.parse(saved), again ? [{ peer: leaving.id(3), forced: false }] : []);
    });
  }

  it('leaves no other peer waiting for one that cannot be put out', async () => {
    const leaving = await Leaving.open({ k: 2, m: 3 });
    await using drains = leaving.drains();
    const { remove } = leaving;
    leaving.remove = (peer) => {
      if (peer === leaving.id(3)) throw new StorageError('PERMISSION_DENIED', 'Not by this peer.');
      remove(peer);
    };
    await drains.begin('peer-3', true, NEVER);
    await drains.begin('peer-4', true, NEVER);
    leaving.nowMs += DEPARTURE_SURVEY_MS;
    await rounds(drains);
    assert.deepEqual([leaving.state(3), leaving.state(4)], ['draining', 'removed']);
    assert.match((await drains.status('peer-3')).reason ?? '', /Not by this peer/);
  });

  it('says what is left when nothing is gained for long', async () => {
    const leaving = await Leaving.open();
    await using drains = leaving.drains();
    leaving.count = () => Promise.resolve(leaving.counted(3));
    await drains.begin('peer-3', true, NEVER);
    await rounds(drains);
    assert.equal((await drains.status('peer-3')).reason, undefined);
    leaving.nowMs += DEPARTURE_STALL_MS;
    await rounds(drains, 1);
    assert.match((await drains.status('peer-3')).reason ?? '', /3 chunks .* left at peer-3.*shoal peer remove peer-3/s);
    leaving.count = () => Promise.resolve(leaving.counted(2));
    await rounds(drains, 1);
    assert.equal((await drains.status('peer-3')).reason, undefined, 'it goes on');
  });
});
