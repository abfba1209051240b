import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { CodedNetwork } from '../../test/contract/coded-network.js';
import { NEVER } from '../../test/contract/offer.js';
import type { PeerId } from '../chunk/ids.js';
import { segmentsOf, type ChunkStore } from '../chunk/chunk-store.js';
import { describeChunk } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { SEGMENT_BYTES } from '../limits.js';
import { silentLogger } from '../log.js';
import { LeavingCount } from './leaving.js';

describe('what a peer that is leaving still has to hand over', () => {
  async function leaving(): Promise<{ network: CodedNetwork; left: () => Promise<number> }> {
    const network = await CodedNetwork.open();
    network.book.update(
      network.book.list().map((peer) => (peer.id === network.self ? { ...peer, state: 'draining' } : peer)),
    );
    const [local] = network.stores;
    assert.ok(local !== undefined);
    const left = async (): Promise<number> => {
      let nowMs = 0;
      const count = new LeavingCount({ network, local, clock: () => ++nowMs, logger: silentLogger() });
      while (count.latest().countedMs === 0) await soon();
      const { chunks, bytes } = count.latest();
      assert.equal(bytes, chunks * network.record.chunkBytes);
      await count.close();
      return chunks;
    };
    return { network, left };
  }

  /** Another peer has the own chunk, too. */
  async function copy({ stores, chunks, record }: CodedNetwork, to: number): Promise<void> {
    const [content] = chunks;
    assert.ok(content !== undefined);
    const header = { ...describeChunk(content), owner: record.owner, label: record.label };
    await stores[to]?.put(header, segmentsOf(content, SEGMENT_BYTES), { signal: NEVER });
  }

  it('is counted for nobody while the peer stays', async () => {
    const network = await CodedNetwork.open();
    const [local] = network.stores;
    assert.ok(local !== undefined);
    const count = new LeavingCount({ network, local, clock: Date.now, logger: silentLogger() });
    assert.throws(() => count.latest(), { code: 'CONFLICT' });
  });

  it('is counted anew after a rest as long as the last count took', async (test) => {
    const { network } = await leaving();
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    let counts = 0;
    const [store] = network.stores;
    assert.ok(store !== undefined);
    const list: ChunkStore['list'] = (options) => {
      counts++;
      nowMs += 1_000;
      return store.list(options);
    };
    const local = { list };
    await using count = new LeavingCount({ network, local, clock: () => nowMs, logger: silentLogger() });
    while (count.latest().chunks === 0) await soon();
    nowMs = 1_999;
    count.latest();
    assert.equal(counts, 1);
    nowMs = 2_000;
    count.latest();
    assert.equal(counts, 2);
  });

  it('is what the records place there', async () => {
    const { network, left } = await leaving();
    assert.equal(await left(), 1);
    const [, other] = network.peers;
    assert.ok(other !== undefined);
    const { record } = network;
    await copy(network, 1);
    assert.equal(await left(), 1, 'a copy is not enough while the record names this peer');
    network.known.set(record.id, { ...record, placement: [{ peer: other }, ...record.placement.slice(1)] });
    assert.equal(await left(), 0);
    const [first] = record.chunks;
    assert.ok(first !== undefined);
    await network.stores[1]?.delete(record.owner, [first], { signal: NEVER });
    assert.equal(await left(), 1, 'the record names a peer that has lost its disk since');
    await copy(network, 1);
    assert.equal(await left(), 0);
    network.damaged.set(other, first);
    assert.equal(await left(), 1, 'its own scrub has found that copy damaged');
    network.damaged.clear();
    assert.equal(await left(), 0);
    assert.ok(network.book.seemsUp(other));
    const { store } = network.links;
    Object.assign(network.links, {
      store: (id: PeerId) => {
        if (id === other) throw new StorageError('UNAVAILABLE', 'It is off.');
        return store(id);
      },
    });
    assert.equal(await left(), 1, 'it does not say that it has it');
    assert.ok(!network.book.seemsUp(other), 'which is noticed');
    network.known.set(record.id, { ...record, placement: [undefined, ...record.placement.slice(1)] });
    assert.equal(await left(), 1, 'nobody has it by the record');
  });

  it('is, without a record, what no other peer has and somebody could use', async () => {
    const { network, left } = await leaving();
    network.known.clear();
    assert.equal(await left(), 1);
    await copy(network, 3);
    assert.equal(await left(), 0);
    const [[first], [, , , other]] = [network.record.chunks, network.peers];
    assert.ok(first !== undefined && other !== undefined);
    network.damaged.set(other, first);
    assert.equal(await left(), 1, 'the only other copy is damaged');
    await copy(network, 4);
    assert.equal(await left(), 0);
    const alone = await leaving();
    alone.network.known.clear();
    for (const [index, chunk] of alone.network.record.chunks.entries()) {
      if (index > 2) await alone.network.stores[index]?.delete(alone.network.record.owner, [chunk], { signal: NEVER });
    }
    assert.equal(await alone.left(), 0, 'fewer than k others: nothing can be read from it');
  });
});
