import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { StorageError, wrapError } from '../../src/errors.js';
import { parseLoopback, parsePeak, parseResident, parseStat, type CpuTicks } from './proc-stat.js';

let ticksPerSecond: number | undefined;

/** @throws StorageError UNSUPPORTED on a system without /proc */
export function checkSystem(): void {
  if (!existsSync('/proc/self/stat')) {
    throw new StorageError('UNSUPPORTED', 'The benchmark reads /proc, which only Linux has: run it there.');
  }
}

/** CPU time in seconds; all zero for a process that is gone. */
export function cpuSeconds(pid: number): CpuTicks {
  const ticks = parseStat(readIfThere(`/proc/${String(pid)}/stat`));
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return { own: (ticks?.own ?? 0) / ticksPerSecond, reaped: (ticks?.reaped ?? 0) / ticksPerSecond };
}

/** Largest resident size since the start of the process or the last `resetPeak`; undefined when it has ended. */
export function peakBytes(pid: number): number | undefined {
  return parsePeak(readIfThere(`/proc/${String(pid)}/status`));
}

/** Resident size now; undefined when it has ended. */
export function residentBytes(pid: number): number | undefined {
  return parseResident(readIfThere(`/proc/${String(pid)}/status`));
}

/** proc(5): "5" in clear_refs sets the peak to the present size. @returns false where the system does not let us */
export function resetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

/** What passed through the loopback interface since the machine started, whoever sent it. */
export function loopbackBytes(): number {
  return parseLoopback(readIfThere('/proc/net/dev')) ?? 0;
}

/** A process whose parent has waited for it has no entry any more: its time has become its parent's `reaped`. */
export function isReaped(pid: number): boolean {
  return !existsSync(`/proc/${String(pid)}`);
}

/** Children that have not been waited for. */
export function childrenOf(pid: number): readonly number[] {
  const text = readIfThere(`/proc/${String(pid)}/task/${String(pid)}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (wrapError(error, path).code === 'NOT_FOUND' || isGone(error)) return '';
    throw wrapError(error, `Reading ${path}`);
  }
}

/** What reading gives when the process ends between open and read. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH';
}
