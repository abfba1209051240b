import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ExtentRef } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import { FIRST_READ_BYTES } from '../limits.js';
import { stepsOf } from './read.js';

function fileOf(lengths: readonly number[]): { bytes: number; extents: ExtentRef[] } {
  const extents = lengths.map((bytes, index): ExtentRef => ({
    key: new Uint8Array(32),
    stripe: String(index) as StripeId,
    offset: 0,
    sealedBytes: bytes + 50,
    bytes,
  }));
  return { bytes: lengths.reduce((sum, bytes) => sum + bytes, 0), extents };
}

describe('stepsOf', () => {
  it('covers the range exactly, in order, each step within one extent', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 * FIRST_READ_BYTES }), { maxLength: 6 });
    fc.assert(
      fc.property(lengths, fc.nat(), fc.nat(), (drawn, a, b) => {
        const file = fileOf(drawn);
        const [from = 0, to = 0] = [a % (file.bytes + 1), b % (file.bytes + 1)].sort((x, y) => x - y);
        let at = from;
        for (const step of stepsOf(file, { from, to })) {
          const start = file.extents
            .slice(0, file.extents.indexOf(step.extent))
            .reduce((sum, { bytes }) => sum + bytes, 0);
          assert.ok(step.from >= 0 && step.from < step.to && step.to <= step.extent.bytes);
          assert.equal(start + step.from, at);
          at = start + step.to;
        }
        assert.equal(at, to);
      }),
    );
  });

  it('begins with a small step, and comes to whole extents', () => {
    const large = 64 * FIRST_READ_BYTES;
    const file = fileOf([large, large, large]);
    const sizes = [...stepsOf(file, { from: 0, to: file.bytes })].map(({ from, to }) => to - from);
    assert.equal(sizes[0], FIRST_READ_BYTES);
    assert.equal(sizes.at(-1), large);
    assert.ok(sizes.length <= 7, String(sizes));
  });

  it('has no step for an empty range', () => {
    assert.deepEqual([...stepsOf(fileOf([]), { from: 0, to: 0 })], []);
    assert.deepEqual([...stepsOf(fileOf([10, 10]), { from: 10, to: 10 })], []);
  });

  it('refuses a range outside the file', () => {
    for (const [from, to] of [
      [-1, 5],
      [5, 4],
      [0, 21],
      [NaN, 5],
      [0, Infinity],
    ] as const) {
      assert.throws(() => [...stepsOf(fileOf([10, 10]), { from, to })], { code: 'INVALID_ARGUMENT' });
    }
  });

  it('takes no longer a step than it is allowed, and grows again when it may', () => {
    const mib = 2 ** 20;
    const key = new Uint8Array(32);
    const extent = { key, stripe: 'a' as StripeId, offset: 0, sealedBytes: 33 * mib, bytes: 32 * mib };
    const steps = stepsOf({ bytes: 32 * mib, extents: [extent] }, { from: 0, to: 32 * mib });
    const lengths: number[] = [];
    for (let step = steps.next(); step.done !== true; step = steps.next(lengths.length < 5 ? mib : undefined)) {
      lengths.push((step.value.to - step.value.from) / mib);
    }
    assert.deepEqual(lengths, [0.25, 1, 1, 1, 1, 4, 16, 7.75]);
  });
});
