import Table from 'cli-table3';

export type Alignment = 'left' | 'right' | 'center';

/** Rows under a heading, without lines, for a terminal and a pipe alike. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  align: Alignment[] = [],
): string {
  const drawn = new Table({
    chars: NO_LINES,
    head: [...heading],
    colAligns: align,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
