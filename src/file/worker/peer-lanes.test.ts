import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { reach, serve, TestNetwork, TestUser, type TestPeer } from '../../../test/wire/network.js';
import { segmentsOf, type ChunkHeader } from '../../chunk/chunk-store.js';
import { describeChunk } from '../../chunk/segments.js';
import { MAX_LANES_PER_PEER, SEGMENT_BYTES } from '../../limits.js';
import { MemoryStore } from '../../store/memory-store.js';
import { RemoteStore } from '../../wire/remote-store.js';
import type { PeerServer } from '../../wire/server.js';
import { PeerLanes } from './peer-lanes.js';

const { signal } = new AbortController();
const user = new TestUser();

describe('PeerLanes', () => {
  let source: TestPeer, target: TestPeer;
  let kept: MemoryStore, server: PeerServer, header: ChunkHeader;
  let opened: RemoteStore[], lanes: PeerLanes;

  before(async () => {
    const network = await TestNetwork.open();
    [source, target] = [await network.peer(), await network.peer()];
    kept = await MemoryStore.open();
    server = await serve(target, { receiver: { store: kept }, sender: { store: kept } });
    opened = [];
    lanes = new PeerLanes(() => {
      const store = RemoteStore.open(reach(source, target, server.port));
      opened.push(store);
      return store;
    });
    const content = Buffer.alloc(3 * SEGMENT_BYTES, 7);
    const shape = describeChunk(content);
    const { label, grant } = user.authorize(shape, source.id);
    header = { ...shape, owner: user.id, label };
    await lanes.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
  });
  after(async () => {
    await lanes.close();
    await server.close();
    await kept.close();
  });

  const read = async (): Promise<void> => {
    for await (const segment of (await lanes.get(header.id, { signal })).segments) assert.ok(segment.bytes.length > 0);
  };

  it('has one connection for one chunk after the other', async () => {
    for (let n = 0; n < 3; n++) await read();
    assert.equal(opened.length, 1);
  });

  it('has one for each of several at once, and no more than it may', async () => {
    await Promise.all([read(), read()]);
    assert.equal(opened.length, 2);
    await Promise.all(Array.from({ length: 3 * MAX_LANES_PER_PEER }, read));
    assert.equal(opened.length, MAX_LANES_PER_PEER);
    await read();
  });

  it('counts what is in progress, whatever becomes of it', async () => {
    const leaving = new AbortController();
    const { segments } = await lanes.get(header.id, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await assert.rejects(async () => {
      for await (const segment of segments) assert.ok(segment.bytes.length > 0);
    });
    // The network says so a little later.
    while (opened.some(({ channel }) => channel.calls > 0)) await new Promise((resolve) => setImmediate(resolve));
  });
});
