import { boxAround, pack, type Box, type Circle, type Placed } from './pack.js';

export interface MapPeer {
  readonly id: string;
  readonly zone: string;
  readonly capacityBytes: number;
}

export interface MapCircle<T extends MapPeer> {
  readonly peer: T;
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

export interface MapZone<T extends MapPeer> {
  /** Empty for peers of which nobody has said where they are. */
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly peers: readonly MapCircle<T>[];
}

export interface MapLayout<T extends MapPeer> {
  readonly zones: readonly MapZone<T>[];
  readonly box: Box;
}

/** Radius of the largest peer, and of one so small that its name would not be legible in it. */
const MOST_RADIUS = 58;
const LEAST_RADIUS = 34;
const PEER_GAP = 10;
const ZONE_GAP = 18;
/** From the circles to the edge of their zone, which has its name in there. */
const ZONE_PADDING = 22;
const MARGIN = 8;

/**
 * Where each peer lies on the map: those of a zone close together, the area of each as its capacity.
 *
 * @param aspect width of the map divided by its height
 */
export function layoutMap<T extends MapPeer>(peers: readonly T[], aspect: number): MapLayout<T> {
  const largest = Math.max(1, ...peers.map(({ capacityBytes }) => capacityBytes));
  const byZone = new Map<string, T[]>();
  const ordered = [...peers].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const peer of ordered) byZone.set(peer.zone, [...(byZone.get(peer.zone) ?? []), peer]);
  const names = [...byZone.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const zones = names.map((name) => zoneOf(name, byZone.get(name) ?? [], largest));
  const placed = packWell(zones, aspect);
  const box = boxAround(placed);
  return {
    zones: placed.map(({ circle: { name, r, peers: inside }, x, y }) => ({
      ...{ name, x, y, r },
      peers: inside.map((peer) => ({ ...peer, x: peer.x + x, y: peer.y + y })),
    })),
    box: {
      x: box.x - MARGIN,
      y: box.y - MARGIN,
      width: box.width + 2 * MARGIN,
      height: box.height + 2 * MARGIN,
    },
  };
}

/** More circles lie well however they are begun with, and take long to place. */
const MOST_TRIED = 40;

/** The largest of several ways to place the same circles in a map of this shape. */
function packWell<T extends Circle>(circles: readonly T[], aspect: number): Placed<T>[] {
  const tried = circles.length > MOST_TRIED ? [] : [0.8, 1, 1.4, 2, 3];
  const r = Math.max(0, ...circles.map((circle) => circle.r)) + ZONE_GAP / 2;
  // Around a circle, around where two touch, and around the gap between three.
  const foci = [
    { x: 0, y: 0 },
    { x: r, y: 0 },
    { x: 0, y: r },
    { x: r, y: r * Math.tan(Math.PI / 6) },
    { x: r, y: r },
  ];
  let best = pack(circles, { gap: ZONE_GAP, aspect });
  for (const shape of tried) {
    for (const focus of foci) {
      const placed = pack(circles, { gap: ZONE_GAP, aspect: shape, focus });
      if (heightIn(placed, aspect) < heightIn(best, aspect) - 1) best = placed;
    }
  }
  return best;
}

/** Of the smallest map of this shape that has room for all. */
function heightIn(placed: readonly Placed<Circle>[], aspect: number): number {
  const { width, height } = boxAround(placed);
  return Math.max(height, width / aspect);
}

/** Around the origin. */
function zoneOf<T extends MapPeer>(
  name: string,
  peers: readonly T[],
  largest: number,
): { readonly name: string; readonly r: number; readonly peers: readonly MapCircle<T>[] } {
  const circles = peers.map((peer) => ({ peer, r: radiusOf(peer.capacityBytes, largest) }));
  const placed = pack(circles, { gap: PEER_GAP, aspect: 1 });
  const box = boxAround(placed);
  const [midX, midY] = [box.x + box.width / 2, box.y + box.height / 2];
  const moved = placed.map(({ circle, x, y }) => ({ ...circle, x: x - midX, y: y - midY }));
  const reach = Math.max(0, ...moved.map(({ x, y, r }) => Math.hypot(x, y) + r));
  return { name, r: reach + ZONE_PADDING, peers: moved };
}

function radiusOf(capacityBytes: number, largest: number): number {
  return Math.max(LEAST_RADIUS, MOST_RADIUS * Math.sqrt(capacityBytes / largest));
}
