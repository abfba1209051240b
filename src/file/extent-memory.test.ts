import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExtentMemory } from './extent-memory.js';

const MIB = 1024 * 1024;

function memoryOf(bytes: Buffer): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}

describe('ExtentMemory', () => {
  it('gives again what has come back, where it is long enough', () => {
    const memory = new ExtentMemory(2);
    memory.join();
    const first = memory.take(2 * MIB - 7);
    assert.deepEqual([first.length, first.byteOffset, first.buffer.byteLength], [2 * MIB - 7, 0, 2 * MIB]);
    assert.notEqual(memory.take(MIB).buffer, first.buffer, 'somebody has it');
    memory.give([memoryOf(first)]);
    assert.notEqual(memory.take(2 * MIB + 1).buffer, first.buffer);
    const again = memory.take(2 * MIB);
    assert.deepEqual([again.buffer, again.length], [first.buffer, 2 * MIB]);
  });

  it('keeps no more than it may, and nothing when nobody streams', () => {
    const memory = new ExtentMemory(1);
    const leave = memory.join();
    const other = memory.join();
    const [one, two] = [memory.take(MIB), memory.take(MIB)];
    memory.give([memoryOf(one), memoryOf(two)]);
    assert.equal(memory.take(MIB).buffer, one.buffer);
    assert.notEqual(memory.take(MIB).buffer, two.buffer);
    memory.give([memoryOf(one)]);
    other();
    other();
    leave();
    memory.give([memoryOf(two)]);
    memory.join();
    const later = memory.take(MIB).buffer;
    assert.ok(later !== one.buffer && later !== two.buffer);
  });
});
