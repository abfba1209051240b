import { StorageError } from '../src/errors.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** "1GiB", "64 MiB", "1.5GB", "4096". @throws StorageError INVALID_ARGUMENT */
export function parseByteCount(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit];
  if (amount !== '' && factor !== undefined) return Math.floor(Number(amount) * factor);
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is no size: write 1GiB, 64MiB, 500MB or a number of bytes.`);
}
