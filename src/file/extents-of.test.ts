import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { extentsOf, type StreamExtent } from './extents-of.js';

async function collect(extents: AsyncIterable<StreamExtent>): Promise<StreamExtent[]> {
  const all: StreamExtent[] = [];
  for await (const extent of extents) all.push(extent);
  return all;
}

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

describe('extentsOf', () => {
  it('cuts each extent as long as it is told before it', async () => {
    const lengths = [40, 10, 30, 99];
    const extents = await collect(extentsOf(pieces(new Uint8Array(100), [7, 70]), () => lengths.shift() ?? 0));
    assert.deepEqual(
      extents.map(({ bytes, fileOffset, last }) => [bytes.length, fileOffset, last]),
      [
        [40, 0, false],
        [10, 40, false],
        [30, 50, false],
        [20, 80, true],
      ],
    );
  });

  it('cuts a stream into full extents and a last one, whatever the pieces are', async () => {
    const sizes = fc.array(fc.nat({ max: 50 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, fc.integer({ min: 1, max: 100 }), async (...drawn) => {
        const [bytes, cuts, extentBytes] = drawn;
        const extents = await collect(extentsOf(pieces(bytes, cuts), () => extentBytes));
        assert.deepEqual(Buffer.concat(extents.map((extent) => extent.bytes)), Buffer.from(bytes));
        assert.equal(extents.length, Math.ceil(bytes.length / extentBytes));
        for (const [index, extent] of extents.entries()) {
          assert.equal(extent.fileOffset, index * extentBytes);
          assert.equal(extent.last, index === extents.length - 1);
          if (!extent.last) assert.equal(extent.bytes.length, extentBytes);
        }
      }),
    );
  });

  it('gives each extent memory of its own, which can be handed to a worker', async () => {
    const extents = await collect(extentsOf(pieces(new Uint8Array(250), []), () => 100));
    assert.equal(new Set(extents.map(({ bytes }) => bytes.buffer)).size, 3);
    for (const { bytes } of extents) assert.equal(bytes.byteOffset, 0);
  });

  it('closes the source when the reader leaves', async () => {
    let closed = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(10);
      } finally {
        closed = true;
      }
    };
    for await (const extent of extentsOf(source(), () => 25)) {
      assert.equal(extent.last, false);
      break;
    }
    assert.ok(closed);
  });
});
