import { StorageError } from '../errors.js';

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const DURATION_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "500GB", "1.5 TiB", "2000000". @throws StorageError INVALID_ARGUMENT */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,16}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = unit === '' ? 1 : BYTES[unit.toLowerCase()];
  const bytes = Math.round(Number(number) * (factor ?? Number.NaN));
  if (number !== '' && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is no size: write 500GB, 2TB or 1.5TiB.`);
}

/** "30m", "24h", "7d". @throws StorageError INVALID_ARGUMENT */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const unitMs = DURATION_MS[unit];
  if (number !== undefined && unitMs !== undefined && Number(number) > 0) return Number(number) * unitMs;
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is no time: write 30m, 24h or 7d.`);
}

/** @throws StorageError INVALID_ARGUMENT */
export function parseOnOff(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is neither on nor off.`);
}

/** @throws StorageError INVALID_ARGUMENT */
export function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is not a number: write it in digits.`);
}
