import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PeerId } from '../chunk/ids.js';
import { judgeStripe, type Layout, type Machine, type Machines } from './stripe-safety.js';

const ZONES = ['', 'attic', 'cellar', 'office'] as const;

interface Scene {
  readonly layout: Layout;
  readonly denied: readonly PeerId[];
  readonly machines: Machines;
}

const machine: fc.Arbitrary<Machine> = fc
  .record({
    standing: fc.constantFrom(
      'up' as const,
      'up' as const,
      'up' as const,
      'down' as const,
      'distrusted' as const,
      'out' as const,
    ),
    answers: fc.boolean(),
    zone: fc.constantFrom(...ZONES),
  })
  .map(({ standing, answers, zone }) => ({
    standing,
    zone,
    up: standing === 'up' || (standing === 'distrusted' && answers),
  }));

const scene: fc.Arbitrary<Scene> = fc
  .record({
    machines: fc.array(machine, { minLength: 1, maxLength: 7 }),
    k: fc.integer({ min: 1, max: 6 }),
    m: fc.integer({ min: 0, max: 3 }),
    seeds: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    lost: fc.array(fc.nat(8), { maxLength: 3 }),
  })
  .map(({ machines, k, m, seeds, lost }) => {
    const ids = machines.map((_, at) => String(at) as PeerId);
    // The last one stands for a chunk without a place.
    const placed = seeds.slice(0, k + m).map((seed) => ids[seed % (ids.length + 1)]);
    const denied = [...new Set(lost)].flatMap((at) => placed[at] ?? []);
    return {
      layout: { k, chunks: k + m, peers: placed.filter((peer) => peer !== undefined).sort() },
      denied,
      machines: new Map(machines.map((each, at) => [String(at) as PeerId, each])),
    };
  });

/** Chunks that are there when these peers have failed, too. */
function left(
  { layout, denied, machines }: Scene,
  failed: ReadonlySet<PeerId>,
  isCounted: (machine: Machine) => boolean,
) {
  let chunks = 0;
  for (const peer of layout.peers) {
    const known = machines.get(peer);
    if (known !== undefined && isCounted(known) && !failed.has(peer)) chunks++;
  }
  for (const peer of denied) {
    const known = machines.get(peer);
    if (known !== undefined && isCounted(known) && !failed.has(peer)) chunks--;
  }
  return chunks;
}

function subsets<T>(all: readonly T[]): T[][] {
  return all.reduce<T[][]>((some, one) => [...some, ...some.map((subset) => [...subset, one])], [[]]);
}

/** The largest number of which every choice leaves k chunks. */
function bruteForce(groups: readonly (readonly PeerId[])[], isFine: (failed: ReadonlySet<PeerId>) => boolean): number {
  const broken = subsets(groups).filter((some) => !isFine(new Set(some.flat())));
  return Math.min(groups.length, ...broken.map(({ length }) => length - 1));
}

describe('judgeStripe', () => {
  it('says as trying all sets of machines, and of zones, does', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { layout, denied, machines } = given;
        const judged = judgeStripe(layout, denied, machines);
        const readable = left(given, new Set(), ({ up }) => up);
        if (readable < layout.k) {
          assert.deepEqual([judged.state, judged.mayFail, judged.vital], ['lost', readable - layout.k, []]);
          return;
        }
        const isFine = (failed: ReadonlySet<PeerId>): boolean =>
          left(given, failed, ({ standing }) => standing === 'up') >= layout.k;
        const counted = [...machines].flatMap(([peer, { standing }]) => {
          return standing === 'up' &&
            left(given, new Set([...machines.keys()].filter((id) => id !== peer)), () => true) > 0
            ? peer
            : [];
        });
        const zoneOf = (peer: PeerId): string => {
          const zone = machines.get(peer)?.zone ?? '';
          return zone === '' ? peer : zone;
        };
        const zones = [...new Set(counted.map(zoneOf))].map((zone) => counted.filter((peer) => zoneOf(peer) === zone));
        const isSure = isFine(new Set());
        assert.equal(
          judged.mayFail,
          isSure
            ? bruteForce(
                counted.map((peer) => [peer]),
                isFine,
              )
            : 0,
        );
        assert.equal(judged.zonesMayFail, isSure ? bruteForce(zones, isFine) : 0);
        assert.deepEqual(new Set(judged.vital), new Set(counted.filter((peer) => !isFine(new Set([peer])))));
        const named = zones.filter((zone) => machines.get(zone[0] ?? ('' as PeerId))?.zone !== '');
        const vitalZones = named
          .filter((zone) => !isFine(new Set(zone)))
          .map(([first]) => machines.get(first ?? ('' as PeerId))?.zone);
        assert.deepEqual(new Set(judged.vitalZones), new Set(vitalZones));
        assert.equal(judged.state === 'atRisk', judged.mayFail === 0);
        assert.equal(judged.isWhole, left(given, new Set(), ({ standing }) => standing === 'up') === layout.chunks);
      }),
      { numRuns: 2_000 },
    );
  });

  const up = { standing: 'up', up: true, zone: '' } as const;
  const six = ['a', 'b', 'c', 'd', 'e', 'f'] as PeerId[];
  const spread: Layout = { k: 4, chunks: 6, peers: six };

  function machines(but: Readonly<Record<string, Machine>> = {}): Machines {
    return new Map(six.map((peer) => [peer, but[peer] ?? up]));
  }

  it('waits for a machine that is down, and rebuilds what a machine lost that is gone or distrusted', () => {
    const judged = (but: Readonly<Record<string, Machine>>, denied: PeerId[] = []): unknown[] => {
      const { state, isWaiting, mayFail } = judgeStripe(spread, denied, machines(but));
      return [state, isWaiting, mayFail];
    };
    assert.deepEqual(judged({}), ['healthy', false, 2]);
    assert.deepEqual(judged({ a: { standing: 'down', up: false, zone: '' } }), ['degraded', false, 1]);
    assert.deepEqual(judged({ a: { standing: 'out', up: false, zone: '' } }), ['degraded', true, 1]);
    assert.deepEqual(judged({ a: { standing: 'distrusted', up: true, zone: '' } }), ['degraded', true, 1]);
    assert.deepEqual(judged({}, six.slice(0, 2)), ['atRisk', true, 0]);
    assert.deepEqual(judged({}, six.slice(0, 3)), ['lost', true, -1]);
  });

  it('does not call lost what those who are distrusted still have', () => {
    const distrusted: Machine = { standing: 'distrusted', up: true, zone: '' };
    const judged = judgeStripe(spread, [], machines({ a: distrusted, b: distrusted, c: distrusted }));
    assert.deepEqual([judged.state, judged.mayFail], ['atRisk', 0]);
    assert.deepEqual(judged.vital, ['d', 'e', 'f']);
  });
});
