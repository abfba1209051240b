import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layoutMap, type MapPeer } from './map-layout.js';
import { boxAround, pack } from './pack.js';

const TIB = 2 ** 40;

function peers(count: number, zones: number): MapPeer[] {
  return [...Array(count).keys()].map((n) => ({
    id: `peer-${String(n)}`,
    zone: `zone-${String(n % zones)}`,
    capacityBytes: TIB * (1 + ((n * 7) % 5)),
  }));
}

describe('pack', () => {
  it('lets no circle overlap another, whatever their sizes', () => {
    const circles = [...Array(60).keys()].map((n) => ({ r: 5 + ((n * 37) % 50) }));
    const placed = pack(circles, { gap: 4, aspect: 1.6 });
    assert.equal(placed.length, circles.length);
    for (const [index, a] of placed.entries()) {
      for (const b of placed.slice(index + 1)) {
        assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= a.circle.r + b.circle.r + 4 - 1e-3);
      }
    }
  });

  it('fills the room well, in about the shape that was asked for', () => {
    const circles = [...Array(40).keys()].map(() => ({ r: 10 }));
    const { width, height } = boxAround(pack(circles, { gap: 0, aspect: 2 }));
    assert.ok(width / height > 1.4 && width / height < 2.8, String(width / height));
    assert.ok((40 * Math.PI * 100) / (width * height) > 0.55);
  });

  it('has nothing to place, or one', () => {
    assert.deepEqual(pack([], { gap: 1, aspect: 1 }), []);
    assert.deepEqual(pack([{ r: 3 }], { gap: 1, aspect: 1 }), [{ circle: { r: 3 }, x: 0, y: 0 }]);
  });
});

describe('layoutMap', () => {
  it('has each peer in its zone, and all in the box', () => {
    const { zones, box } = layoutMap(peers(17, 4), 1.5);
    assert.deepEqual(zones.map(({ name }) => name).sort(), ['zone-0', 'zone-1', 'zone-2', 'zone-3']);
    for (const zone of zones) {
      for (const { x, y, r, peer } of zone.peers) {
        assert.equal(peer.zone, zone.name);
        assert.ok(Math.hypot(x - zone.x, y - zone.y) + r <= zone.r);
      }
      assert.ok(zone.x - zone.r >= box.x && zone.x + zone.r <= box.x + box.width);
      assert.ok(zone.y - zone.r >= box.y && zone.y + zone.r <= box.y + box.height);
    }
  });

  it('draws the area of a peer as its capacity, down to what is legible', () => {
    const { zones } = layoutMap(
      [
        { id: 'a', zone: '', capacityBytes: 4 * TIB },
        { id: 'b', zone: '', capacityBytes: 2 * TIB },
        { id: 'c', zone: '', capacityBytes: 1 },
      ],
      1,
    );
    const radius = (id: string): number => zones[0]?.peers.find(({ peer }) => peer.id === id)?.r ?? 0;
    assert.ok(Math.abs(radius('a') ** 2 / radius('b') ** 2 - 2) < 1e-9);
    assert.ok(radius('c') > 20);
  });

  it('does not depend on the order in which peers are told of', () => {
    const some = peers(9, 3);
    assert.deepEqual(layoutMap([...some].reverse(), 1.5), layoutMap(some, 1.5));
  });

  it('is empty without peers', () => {
    assert.deepEqual(layoutMap([], 1).zones, []);
  });
});
