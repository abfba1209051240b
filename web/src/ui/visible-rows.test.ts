import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { visibleRows } from './visible-rows.js';

describe('the rows of a long list that are in the page', () => {
  test('are those that are seen, and a few more', () => {
    assert.deepEqual(visibleRows({ top: 0, height: 440, rowHeight: 44, count: 10_000 }), { from: 0, to: 22 });
    assert.deepEqual(visibleRows({ top: -44_000, height: 440, rowHeight: 44, count: 10_000 }), { from: 988, to: 1022 });
  });

  test('are always there, in bounds, and never many', () => {
    fc.assert(
      fc.property(
        fc.record({
          top: fc.integer({ min: -1e7, max: 1e4 }),
          height: fc.integer({ min: 0, max: 4000 }),
          rowHeight: fc.integer({ min: 20, max: 100 }),
          count: fc.integer({ min: 0, max: 200_000 }),
        }),
        (viewport) => {
          const { from, to } = visibleRows(viewport);
          assert.ok(from >= 0 && from <= to && to <= viewport.count);
          assert.ok(to - from <= viewport.height / viewport.rowHeight + 26);
          for (const seen of [0, viewport.height - 1]) {
            const row = Math.floor((seen - viewport.top) / viewport.rowHeight);
            if (row >= 0 && row < viewport.count && viewport.height > 0) assert.ok(row >= from && row < to);
          }
        },
      ),
    );
  });
});
