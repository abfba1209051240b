import assert from 'node:assert/strict';
import { type FileHandle, open } from 'node:fs/promises';
import { it } from 'node:test';
import { DISK_IO_BYTES, SEGMENT_BYTES } from '../limits.js';
import { AlignedMemory } from './aligned-memory.js';
import { readSegments } from './segment-reader.js';

it('tells of a disk that cannot be read when it comes to that part, and not before', async () => {
  const bytes = 2 * DISK_IO_BYTES;
  const shape = { bytes, segmentBytes: SEGMENT_BYTES, hashes: new Uint8Array((bytes / SEGMENT_BYTES) * 32) };
  const broken = {
    async read(_slab: Uint8Array, _at: number, length: number, position: number) {
      if (position >= DISK_IO_BYTES) throw new Error('EIO: i/o error');
      return { bytesRead: length };
    },
  };
  await using handle = await open('/dev/null');
  const failing = new Proxy<FileHandle>(handle, { get: (_, name) => Reflect.get(broken, name) as unknown });
  const all = Array.from({ length: bytes / SEGMENT_BYTES }, (_, index) => index);
  const segments = readSegments({ handle: failing, shape, memory: new AlignedMemory() }, all);
  const read: number[] = [];
  const reading = (async () => {
    for await (const { index } of segments) {
      read.push(index);
      // Whoever reads is busy, while the read ahead has failed: the process would end for it.
      await new Promise(setImmediate);
    }
  })();
  await assert.rejects(reading, /EIO/);
  assert.equal(read.length, DISK_IO_BYTES / SEGMENT_BYTES);
});
