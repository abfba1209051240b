const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, as disks and networks are sold: "268.4 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${UNITS[unit] ?? 'PB'}`;
}

/** "212 MB/s"; nothing can be said of a time too short to measure. */
export function formatSpeed(bytes: number, seconds: number): string {
  if (seconds < 0.001) return '– MB/s';
  const megabytes = bytes / 1e6 / seconds;
  return `${megabytes.toFixed(megabytes < 10 ? 1 : 0)} MB/s`;
}

/** "0.4 s", "12 s", "3 min 05 s", "2 h 10 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${String(whole)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${String(minutes)} min ${twoDigits(whole % 60)} s`;
  return `${String(Math.floor(minutes / 60))} h ${twoDigits(minutes % 60)} min`;
}

/** "1 file", "5,000 files". */
export function count(amount: number, noun: string): string {
  return `${amount.toLocaleString('en-US')} ${noun}${amount === 1 ? '' : 's'}`;
}

/** "1 file is", "2 files are". */
export function are(amount: number): 'is' | 'are' {
  return amount === 1 ? 'is' : 'are';
}

/** "2026-11-22 14:03" in the zone of this machine. */
export function formatTime(rfc3339: string): string {
  const time = new Date(rfc3339);
  if (Number.isNaN(time.getTime())) return '?';
  const day = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join('-');
  return `${day} ${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
