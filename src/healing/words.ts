/** "1 segment", "1,204 segments". */
export function amount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** "384 KiB", "1.5 MiB": binary units, in which segments have round lengths. */
export function inBinary(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number.isInteger(value) ? String(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
