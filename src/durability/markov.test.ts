import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Assumptions } from './assumptions.js';
import { stripeDurability } from './markov.js';

const WORLD: Assumptions = { scheme: { k: 4, m: 2 }, zones: 1, peerLossRate: 0.3, zoneLossRate: 0, repairTime: 0.01 };

function assertClose(actual: number, expected: number, relative = 1e-9): void {
  assert.ok(Math.abs(actual / expected - 1) < relative, `${String(actual)} is not ${String(expected)}`);
}

describe('the durability of a stripe', () => {
  it('is that of a mirror as the textbook has it', () => {
    const [loss, repair] = [0.25, 1 / 0.02];
    const mirror = stripeDurability({ ...WORLD, scheme: { k: 1, m: 1 }, peerLossRate: loss, repairTime: 0.02 });
    assertClose(mirror.meanYearsToLoss, (3 * loss + repair) / (2 * loss ** 2));
  });

  it('is exponential where nothing is repaired and one loss is too many', () => {
    const chain = stripeDurability({ ...WORLD, scheme: { k: 2, m: 1 }, repairTime: 1e9 });
    // Two of three must live: 3 e^-2a - 2 e^-3a of a = λt.
    const a = 0.3 * 2;
    assertClose(chain.lossProbability(2), 1 - (3 * Math.exp(-2 * a) - 2 * Math.exp(-3 * a)), 1e-6);
  });

  it('keeps its precision where loss is all but impossible', () => {
    const scheme = { k: 8, m: 8 };
    const safe = stripeDurability({ ...WORLD, scheme, repairTime: 1e-4 });
    // The rare-event limit: n! / (m! (k-1)!) λ (λ/μ)^m, with repairs of one rate for each missing chunk.
    const path = Array.from({ length: 9 }, (_, i) => (16 - i) * 0.3).reduce((a, b) => a * b);
    const back = Array.from({ length: 8 }, (_, i) => (i + 1) / 1e-4).reduce((a, b) => a * b);
    assertClose(safe.meanYearsToLoss, back / path, 1e-2);
    assertClose(safe.lossProbability(10), 10 / safe.meanYearsToLoss, 1e-3);
  });

  it('falls with time, with rarer repairs and with zones that burn, and not at once', () => {
    const base = stripeDurability(WORLD);
    assert.equal(base.lossProbability(0), 0);
    assert.ok(base.lossProbability(20) > base.lossProbability(10));
    assert.ok(stripeDurability({ ...WORLD, repairTime: 0.1 }).lossProbability(10) > base.lossProbability(10));
    const burning = { ...WORLD, zoneLossRate: 0.01 };
    const one = stripeDurability(burning);
    assertClose(one.lossProbability(10), 1 - Math.exp(-0.1), 0.05);
    // Two chunks in each of three zones: the loss of one zone is survived.
    assert.ok(stripeDurability({ ...burning, zones: 3 }).lossProbability(10) < one.lossProbability(10) / 10);
  });

  it('refuses worlds that cannot be', () => {
    for (const wrong of [{ zones: 0 }, { peerLossRate: 0 }, { repairTime: Number.NaN }, { zoneLossRate: -1 }]) {
      assert.throws(() => stripeDurability({ ...WORLD, ...wrong }), { code: 'INVALID_ARGUMENT' });
    }
    assert.throws(() => stripeDurability({ ...WORLD, scheme: { k: 40, m: 2 } }), { code: 'INVALID_ARGUMENT' });
  });
});
