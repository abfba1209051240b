// @ts-check
/** One process at a time: a file that names its holder. A holder that died is noticed, on this machine at once. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the slowest installation; past it a holder on another machine counts as dead too. */
const PATIENCE_MS = 10 * 60 * 1000;
const POLL_MS = 200;

/** @param {string} path @returns {string | undefined} undefined when nobody holds it */
function holderOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {string} path @param {string} holder */
function isStale(path, holder) {
  const [pid = '', host = ''] = holder.split(' ');
  if (host === hostname()) {
    try {
      process.kill(Number(pid), 0);
      return false;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'ESRCH';
    }
  }
  const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > PATIENCE_MS;
}

/** @param {string} path @param {string} content @returns {boolean} false when the file exists already */
function create(path, content) {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Whoever creates the marker named after the dead holder may remove its lock, so that nobody removes the lock of the
 * next holder.
 *
 * @param {string} path @param {string} holder
 */
function removeStale(path, holder) {
  const marker = `${path}.${holder.split(' ')[2] ?? 'unnamed'}`;
  if (!create(marker, '')) return;
  try {
    if (holderOf(path) === holder) rmSync(path, { force: true });
  } finally {
    rmSync(marker, { force: true });
  }
}

/**
 * Runs `work` while this process alone holds `path`.
 *
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} work
 * @param {() => void} onWait called once when another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const self = `${String(process.pid)} ${hostname()} ${randomUUID()}`;
  const deadline = Date.now() + PATIENCE_MS;
  let waiting = false;
  while (!create(path, self)) {
    const holder = holderOf(path);
    if (holder === undefined) continue;
    if (isStale(path, holder)) {
      removeStale(path, holder);
      continue;
    }
    if (!waiting) onWait();
    waiting = true;
    if (Date.now() > deadline) {
      throw new Error(
        `Another process has held ${path} for ten minutes. If it is not at work any more, delete that file.`,
      );
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (holderOf(path) === self) rmSync(path, { force: true });
  }
}
