export interface Viewport {
  /** Of the first row, against the top of what is seen; negative when it is scrolled away. */
  readonly top: number;
  /** Of what is seen. */
  readonly height: number;
  readonly rowHeight: number;
  readonly count: number;
}

/** Rows beyond each edge that are kept, so that a quick scroll finds them there. */
const SPARE_ROWS = 12;

/** Which rows of a long list are worth having in the page: from, and up to but not including, to. */
export function visibleRows({ top, height, rowHeight, count }: Viewport): {
  readonly from: number;
  readonly to: number;
} {
  const first = Math.floor(-top / rowHeight) - SPARE_ROWS;
  const last = Math.ceil((height - top) / rowHeight) + SPARE_ROWS;
  const to = Math.min(Math.max(last, 0), count);
  return { from: Math.min(Math.max(first, 0), to), to };
}
