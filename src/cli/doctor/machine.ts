import { constrainedMemory } from 'node:process';
import { freemem, totalmem } from 'node:os';
import { formatBytes } from '../units.js';
import { ok, problem, unknown, warning, type Finding } from './finding.js';

const MIB = 1024 * 1024;

/** A daemon without transfers. */
const BASE_BYTES = 160 * MIB;
/** A worker thread without its stripes. */
const WORKER_BYTES = 40 * MIB;
/** A stripe in work, with its parity; see the setting `stripesPerWorker`. */
const STRIPE_BYTES = 48 * MIB;

/** What a daemon holds when all of its workers are busy, putting and getting. */
export function memoryNeed(workers: number, stripesPerWorker: number): number {
  return BASE_BYTES + Math.max(workers, 1) * (WORKER_BYTES + (stripesPerWorker + 1) * STRIPE_BYTES);
}

export interface Memory {
  /** Of the machine, or what its container may use. */
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export function readMemory(): Memory {
  // 0 and huge numbers both mean that there is no bound.
  const bound = constrainedMemory();
  const totalBytes = bound > 0 ? Math.min(bound, totalmem()) : totalmem();
  return { totalBytes, freeBytes: freemem() };
}

/** @param running the daemon has its share already, so what is free now says nothing */
export function checkMemory({ totalBytes, freeBytes }: Memory, need: number, running: boolean): Finding {
  const needed = `a busy peer needs about ${formatBytes(need)}`;
  const remedy = 'Give it more memory, or lower the settings workers and stripesPerWorker.';
  if (totalBytes < need) return problem('memory', `${formatBytes(totalBytes)} in all, and ${needed}.`, remedy);
  if (!running && freeBytes < need) {
    return warning('memory', `${formatBytes(freeBytes)} are free, and ${needed}.`, remedy);
  }
  return ok('memory', `${formatBytes(totalBytes)} in all; ${needed}.`);
}

/** A connection takes one, and so does each file in work; below this a busy peer may run out. */
const ENOUGH_FILES = 4096;
const FEWEST_FILES = 1024;

/** @param limit of open files that a process may have, as a number or "unlimited"; undefined where nobody tells */
export function checkOpenFiles(limit: unknown): Finding {
  if (limit === 'unlimited') return ok('open files', 'Any number of open files.');
  if (typeof limit !== 'number') return unknown('open files', 'This system does not tell how many files may be open.');
  const found = `${limit.toLocaleString('en-US')} open files at most.`;
  const remedy = `Raise it to ${String(ENOUGH_FILES)} or more: LimitNOFILE= of systemd, --ulimit nofile= of Docker, or ulimit -n.`;
  if (limit < FEWEST_FILES) return problem('open files', found, remedy);
  return limit < ENOUGH_FILES ? warning('open files', found, remedy) : ok('open files', found);
}

/** The hard limit: Node.js raises the soft one to it when it starts. */
export function readOpenFiles(): unknown {
  const report = process.report.getReport() as { readonly userLimits?: { readonly open_files?: { hard?: unknown } } };
  return report.userLimits?.open_files?.hard;
}
