export interface Circle {
  readonly r: number;
}

export interface Placed<T extends Circle> {
  readonly circle: T;
  readonly x: number;
  readonly y: number;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface PackOptions {
  /** Free room between two circles. */
  readonly gap: number;
  /** Wanted width of the whole divided by its height. */
  readonly aspect: number;
  /** What all gather around; absent: the first circle's middle. */
  readonly focus?: Spot;
}

/** Two circles that only just touch may be counted as apart. */
const TOLERANCE = 1e-6;
const MIDDLE: Spot = { x: 0, y: 0 };

/**
 * Places circles close together around the origin without overlap, the largest first: each where it touches two others and is
 * nearest to the middle. The same circles come to lie in the same places. Takes O(n³) for n circles: some hundreds at most.
 */
export function pack<T extends Circle>(
  circles: readonly T[],
  { gap, aspect, focus = MIDDLE }: PackOptions,
): Placed<T>[] {
  const placed: Placed<T>[] = [];
  for (const circle of [...circles].sort((a, b) => b.r - a.r)) {
    placed.push({ circle, ...spotFor(circle.r + gap / 2, placed, { gap, aspect, focus }) });
  }
  return placed;
}

interface Disc extends Spot {
  readonly r: number;
}

function spotFor(r: number, placed: readonly Placed<Circle>[], { gap, aspect, focus }: Required<PackOptions>): Spot {
  const discs = placed.map(({ circle, x, y }) => ({ x, y, r: circle.r + gap / 2 }));
  const [first] = discs;
  if (first === undefined) return { x: 0, y: 0 };
  // Beside the first one there always is a spot, far out if need be.
  const besides = [0, 0.5, 1, 1.5].map((turn) => beside(first, r, turn * Math.PI));
  const touching = discs.flatMap((a, index) => discs.slice(index + 1).flatMap((b) => touchingBoth(a, b, r)));
  const distance = ({ x, y }: Spot): number => Math.hypot((x - focus.x) / aspect, y - focus.y);
  const free = [...besides, ...touching]
    .sort((a, b) => distance(a) - distance(b))
    .find((spot) => discs.every((disc) => Math.hypot(spot.x - disc.x, spot.y - disc.y) >= r + disc.r - TOLERANCE));
  return free ?? { x: Math.max(...discs.map((disc) => disc.x + disc.r)) + r, y: 0 };
}

function beside(disc: Disc, r: number, angle: number): Spot {
  const far = disc.r + r;
  return { x: disc.x + far * Math.cos(angle), y: disc.y + far * Math.sin(angle) };
}

/** The one or two places where a circle of radius `r` touches both: where circles around them, wider by `r`, meet. */
function touchingBoth(a: Disc, b: Disc, r: number): Spot[] {
  const far = Math.hypot(b.x - a.x, b.y - a.y);
  const [ra, rb] = [a.r + r, b.r + r];
  if (far === 0 || far > ra + rb) return [];
  const along = (ra * ra - rb * rb + far * far) / (2 * far);
  const aside = Math.sqrt(Math.max(0, ra * ra - along * along));
  const [ux, uy] = [(b.x - a.x) / far, (b.y - a.y) / far];
  const [x, y] = [a.x + along * ux, a.y + along * uy];
  return [
    { x: x - aside * uy, y: y + aside * ux },
    { x: x + aside * uy, y: y - aside * ux },
  ];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function boxAround(placed: readonly Placed<Circle>[]): Box {
  if (placed.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const left = Math.min(...placed.map(({ circle, x }) => x - circle.r));
  const top = Math.min(...placed.map(({ circle, y }) => y - circle.r));
  const right = Math.max(...placed.map(({ circle, x }) => x + circle.r));
  const bottom = Math.max(...placed.map(({ circle, y }) => y + circle.r));
  return { x: left, y: top, width: right - left, height: bottom - top };
}
