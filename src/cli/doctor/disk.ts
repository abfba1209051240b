import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../../errors.js';
import { formatBytes } from '../units.js';
import { ok, problem, warning, type Finding } from './finding.js';

const SPACE = 'disk space';
const SPEED = 'disk speed';

/** @param reserveBytes what chunks never use up */
export function checkSpace(freeBytes: number, reserveBytes: number): Finding {
  const found = `${formatBytes(freeBytes)} are free, of which ${formatBytes(reserveBytes)} stay untouched.`;
  const remedy = 'Make room, or drop files with `shoal rm` and `shoal trash empty`.';
  if (freeBytes <= reserveBytes) return problem(SPACE, `${found} No chunk is taken in.`, remedy);
  if (freeBytes < 2 * reserveBytes) return warning(SPACE, found, remedy);
  return ok(SPACE, found);
}

/** f_type of statfs(2), from the headers of Linux, of file systems that do not keep what they promise. */
const REMOTE = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x65735546, 'FUSE'],
]);
const IN_MEMORY = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** @param type f_type */
export function checkFileSystem(type: number, home: string): Finding {
  const memory = IN_MEMORY.get(type);
  if (memory !== undefined) {
    const found = `${home} lies in memory (${memory}): a restart of the machine loses it.`;
    return problem('file system', found, 'Move the home to a disk.');
  }
  const remote = REMOTE.get(type);
  if (remote !== undefined) {
    const found = `${home} lies on ${remote}, where locks and syncs of databases may not hold.`;
    return warning('file system', found, 'Move the home to a disk of this machine.');
  }
  return ok('file system', 'The home lies on a disk of this machine.');
}

export async function checkDisk(home: string, reserveBytes: number): Promise<readonly Finding[]> {
  try {
    const { bavail, bsize, type } = await statfs(home);
    return [checkSpace(bavail * bsize, reserveBytes), checkFileSystem(type, home)];
  } catch (error) {
    return [problem(SPACE, wrapError(error, `Looking at the disk of ${home}`).message, 'Mount the disk.')];
  }
}

/** Each chunk waits for one or two of these before it is acknowledged. A good hard disk takes 10 to 20 ms. */
const SLOW_SYNC_MS = 50;
const BAD_SYNC_MS = 500;
const SYNCS = 5;
const SYNC_BYTES = 4096;

/** @param ms how long writing a little and fsync take together, in the middle of some attempts */
export function judgeSync(ms: number): Finding {
  const found = `A small write is on the disk after ${ms.toFixed(ms < 10 ? 1 : 0)} ms.`;
  const remedy =
    'Many small files will be slow. Put the home on an SSD, or on a disk that is not busy with other work.';
  if (ms >= BAD_SYNC_MS) return problem(SPEED, found, remedy);
  return ms >= SLOW_SYNC_MS ? warning(SPEED, found, remedy) : ok(SPEED, found);
}

/** Writes a small file into the home, syncs it some times, and removes it. */
export async function checkSync(home: string): Promise<Finding> {
  const path = join(home, `.doctor-${String(process.pid)}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      const times: number[] = [];
      for (let turn = 0; turn < SYNCS; turn++) {
        const began = performance.now();
        await file.write(Buffer.alloc(SYNC_BYTES, turn), 0, SYNC_BYTES, 0);
        await file.sync();
        times.push(performance.now() - began);
      }
      return judgeSync(times.sort((a, b) => a - b)[SYNCS >> 1] ?? 0);
    } finally {
      await file.close();
      await rm(path, { force: true });
    }
  } catch (error) {
    return problem(SPEED, wrapError(error, `Writing into ${home}`).message, 'Let this user write into the home.');
  }
}
