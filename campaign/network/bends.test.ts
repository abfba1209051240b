/** Each bends this whole process, which is the test's alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ChunkId, UserId } from '../../src/chunk/ids.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { Relay } from '../../test/planet/relay.js';
import { connectFrom, tellLies, turnClock } from './bends.js';

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;

describe('a bent process', () => {
  test('connects from an address of its own', { skip: process.platform !== 'linux' }, async () => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    connectFrom('127.0.1.7');
    const seen = once(server, 'connection') as Promise<[net.Socket]>;
    const client = net.connect(port, '127.0.0.1');
    const [socket] = await seen;
    assert.equal(socket.remoteAddress, '127.0.1.7');
    client.destroy();
    socket.destroy();
    server.close();
  });

  test('is kept out by a relay that blocks it, while others pass', { skip: process.platform !== 'linux' }, async () => {
    const server = net.createServer((socket) => socket.end('through'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using relay = await Relay.open();
    relay.lead((server.address() as AddressInfo).port);
    const read = async (): Promise<string> => {
      const client = net.connect(relay.port, '127.0.0.1');
      let text = '';
      client.on('data', (bytes: Buffer) => (text += bytes.toString()));
      client.on('error', () => undefined);
      await once(client, 'close');
      return text;
    };
    connectFrom('127.0.1.7');
    relay.block(new Set(['127.0.1.8']));
    assert.equal(await read(), 'through');
    relay.block(new Set(['127.0.1.7']));
    assert.equal(await read(), '');
    relay.block(new Set());
    assert.equal(await read(), 'through');
    server.close();
  });

  test('has a clock that jumps, and dates that are dates', () => {
    const before = Date.now();
    turnClock({ aheadMs: 26 * HOUR_MS, afterMs: 0 });
    for (const ms of [Date.now(), new Date().getTime(), Date.parse(Date())]) {
      assert.ok(ms - before > 25 * HOUR_MS && ms - before < 27 * HOUR_MS);
    }
    assert.equal(new Date(5).getTime(), 5);
    assert.ok(new Date() instanceof Date);
  });

  test('has every chunk, keeps none, and takes none back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-bends-'));
    const [owner, id] = ['11'.repeat(32) as UserId, '22'.repeat(32) as ChunkId];
    try {
      tellLies('holding');
      tellLies('deletes');
      await using store = await DiskStore.open({ directory: join(folder, 'chunks') });
      assert.deepEqual(await store.has([id], { signal }), new Set([id]));
      const header = { id, owner, label: new Uint8Array(), bytes: 1, segmentBytes: 1, hashes: new Uint8Array(32) };
      const stored = await store.put(header, () => assert.fail('nothing is taken in'), { signal });
      assert.deepEqual(stored, { existed: true, resent: 0 });
      assert.deepEqual((await store.usage()).chunks, 0);
      await store.delete(owner, [id], { signal });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
