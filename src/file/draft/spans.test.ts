import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PartSpan } from '../../store/draft-journal.js';
import { areSound, contiguousBytes, cut, gapsOf } from './spans.js';

/** Runs that are there and runs that are not, in turn. */
const RUNS = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 50 }), there: fc.boolean() }), { maxLength: 20 });

function layOut(runs: readonly { readonly bytes: number; readonly there: boolean }[]): {
  spans: PartSpan[];
  fileBytes: number;
} {
  const spans: PartSpan[] = [];
  let fileBytes = 0;
  for (const { bytes, there } of runs) {
    if (there) spans.push({ fileOffset: fileBytes, bytes });
    fileBytes += bytes;
  }
  return { spans, fileBytes };
}

function bytesIn(spans: readonly PartSpan[]): Set<number> {
  return new Set(spans.flatMap(({ fileOffset, bytes }) => Array.from({ length: bytes }, (_, i) => fileOffset + i)));
}

describe('spans of a file', () => {
  it('and its gaps are all of it, each byte once', () => {
    fc.assert(
      fc.property(RUNS, fc.integer({ min: 1, max: 60 }), (runs, pieceBytes) => {
        const { spans, fileBytes } = layOut(runs);
        assert.ok(areSound(spans, fileBytes));
        const pieces = gapsOf(spans, fileBytes).flatMap((gap) => [...cut(gap, pieceBytes)]);
        assert.ok(pieces.every(({ bytes }) => bytes > 0 && bytes <= pieceBytes));
        const all = [...spans, ...pieces];
        assert.equal(bytesIn(all).size, fileBytes);
        assert.equal(
          all.reduce((sum, { bytes }) => sum + bytes, 0),
          fileBytes,
        );
        const end = contiguousBytes(spans);
        assert.equal(end, gapsOf(spans, fileBytes)[0]?.fileOffset ?? fileBytes);
      }),
    );
  });

  it('that no file has are found', () => {
    assert.ok(!areSound([{ fileOffset: 0, bytes: 11 }], 10));
    assert.ok(!areSound([{ fileOffset: 4, bytes: 0 }], 10));
    assert.ok(
      !areSound(
        [
          { fileOffset: 0, bytes: 5 },
          { fileOffset: 4, bytes: 2 },
        ],
        10,
      ),
    );
    assert.ok(areSound([], 0));
  });
});
