import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnsOf, latest } from './chart-data.js';

const MIN = 60_000;

describe('columnsOf', () => {
  it('puts series over the same times', () => {
    const { times, values } = columnsOf([
      {
        points: [
          [0, 1],
          [MIN, 2],
        ],
      },
      {
        points: [
          [MIN, 5],
          [2 * MIN, 6],
        ],
      },
    ]);
    assert.deepEqual(times, [0, 60, 120]);
    assert.deepEqual(values, [
      [1, 2, null],
      [null, 5, 6],
    ]);
  });

  it('breaks the line where nobody measured', () => {
    const { times, values } = columnsOf([{ points: [0, 1, 2, 3, 60, 61, 62].map((n) => [n * MIN, n]) }]);
    assert.equal(times.length, 8);
    assert.equal(values[0]?.[4], null);
  });

  it('has nothing to draw of nothing', () => {
    assert.deepEqual(columnsOf([]), { times: [], values: [] });
    assert.equal(latest({ points: [] }), null);
    assert.equal(
      latest({
        points: [
          [0, 1],
          [1, 7],
        ],
      }),
      7,
    );
  });
});
