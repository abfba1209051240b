import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DISK_IO_BYTES } from '../limits.js';
import { ALIGNMENT_BYTES, AlignedMemory, roundUp, wholeBlocks } from './aligned-memory.js';

describe('AlignedMemory', () => {
  it('gives each slab to one holder and uses it again', () => {
    const memory = new AlignedMemory();
    const slabs = Array.from({ length: 9 }, () => memory.take());
    const places = slabs.map((slab) => slab.byteOffset);
    for (const [index, slab] of slabs.entries()) slab.fill(index);
    for (const [index, slab] of slabs.entries()) {
      assert.equal(slab.length, DISK_IO_BYTES);
      assert.ok(slab.every((byte) => byte === index));
    }
    assert.ok(places.every((place) => place % ALIGNMENT_BYTES === 0));
    const [first] = slabs;
    assert.ok(first);
    memory.give(first);
    assert.equal(memory.take(), first);
  });

  it('keeps what a busy hour needed no longer than that', () => {
    const memory = new AlignedMemory();
    const slabs = Array.from({ length: 40 }, () => memory.take());
    for (const slab of slabs) memory.give(slab);
    const again = new Set(Array.from({ length: 40 }, () => memory.take()));
    assert.equal(again.size, 40);
    assert.equal(slabs.filter((slab) => again.has(slab)).length, 16);
  });
});

describe('Blocks', () => {
  it('are counted up to where one begins', () => {
    assert.deepEqual([0, 1, ALIGNMENT_BYTES, ALIGNMENT_BYTES + 1].map(roundUp), [0, 4096, 4096, 8192]);
  });

  it('a short write goes on behind its last whole block, and never stands still', () => {
    assert.equal(wholeBlocks(3 * ALIGNMENT_BYTES, 3 * ALIGNMENT_BYTES), 3 * ALIGNMENT_BYTES);
    assert.equal(wholeBlocks(ALIGNMENT_BYTES + 512, 3 * ALIGNMENT_BYTES), ALIGNMENT_BYTES);
    assert.equal(wholeBlocks(512, ALIGNMENT_BYTES), 512);
    assert.equal(wholeBlocks(100, 100), 100);
  });
});
