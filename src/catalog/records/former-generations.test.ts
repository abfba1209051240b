import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AWAITED_DATABASE_MS, RETIRED_DATABASE_MS } from '../../limits.js';
import { type HomeWord, isAwaited, isBroughtOver, isExpired, isOver } from './former-generations.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = 5000 * DAY_MS;
const clock = { nowMs: NOW_MS, sinceMs: NOW_MS - DAY_MS };

function word(generation: number, agoMs: number, gone = false): HomeWord {
  return { generation, issuedMs: NOW_MS - agoMs, gone };
}

describe('a former generation, the second', () => {
  const RETIRED = RETIRED_DATABASE_MS;
  const cases: readonly (readonly [
    string,
    readonly HomeWord[],
    { awaited: boolean; brought: boolean; expired: boolean },
  ])[] = [
    [
      'is all that there is while nobody has the next',
      [word(2, AWAITED_DATABASE_MS), word(0, AWAITED_DATABASE_MS)],
      { awaited: true, brought: false, expired: false },
    ],
    ['of a user without homes is not over', [], { awaited: false, brought: false, expired: false }],
    [
      'waits for a home that is behind',
      [word(3, RETIRED), word(1, RETIRED)],
      { awaited: true, brought: false, expired: false },
    ],
    [
      'does not wait for ever',
      [word(3, AWAITED_DATABASE_MS), word(1, 0)],
      { awaited: true, brought: false, expired: true },
    ],
    [
      'is brought over when all have said so',
      [word(3, 0), word(4, DAY_MS)],
      { awaited: false, brought: true, expired: false },
    ],
    [
      'expires a while after the last has said so',
      [word(3, RETIRED), word(4, RETIRED + DAY_MS)],
      { awaited: false, brought: true, expired: true },
    ],
    [
      'does not wait for a home that never had any',
      [word(3, 0), word(0, DAY_MS)],
      { awaited: false, brought: true, expired: false },
    ],
    [
      'may hold what a home that is gone has left there',
      [word(3, RETIRED), word(2, DAY_MS, true)],
      { awaited: false, brought: false, expired: false },
    ],
    [
      'holds that for a while only',
      [word(3, RETIRED), word(2, RETIRED, true)],
      { awaited: false, brought: false, expired: true },
    ],
    [
      'is not ended by a clock that is slow',
      [word(3, NOW_MS), word(3, DAY_MS)],
      { awaited: false, brought: true, expired: false },
    ],
    [
      'is not kept by a clock that is fast',
      [word(3, -9 * RETIRED), word(3, RETIRED)],
      { awaited: false, brought: true, expired: true },
    ],
    [
      'counts from when one looks, where all clocks are fast',
      [word(3, -DAY_MS)],
      { awaited: false, brought: true, expired: false },
    ],
  ];
  for (const [what, homes, expected] of cases) {
    test(what, () => {
      const seen = {
        awaited: isAwaited(homes, 2),
        brought: isBroughtOver(homes, 2),
        expired: isExpired(homes, 2, clock),
      };
      assert.deepEqual(seen, expected);
      assert.equal(isOver(homes, 2, clock), expected.brought || expected.expired);
    });
  }

  test('that nobody can date expires in the end', () => {
    const homes = [word(3, -9 * DAY_MS)];
    assert.equal(isExpired(homes, 2, { nowMs: NOW_MS, sinceMs: NOW_MS - RETIRED_DATABASE_MS }), true);
  });
});
