import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NGINX_START_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { PID_FILE } from './nginx-process.js';

const POLL_MS = 20;

/**
 * Ends the nginx of this folder that a killed front left behind, or the workers of a master that was killed: they hold the port.
 * Only for whoever holds the lock of the front of this home: then its former front is gone.
 */
export async function stopOrphan(folder: string, logger: Logger): Promise<void> {
  const master = await pidIn(join(folder, PID_FILE));
  if (master === undefined) return;
  const left = (await isNginxOf(master, folder)) ? [master] : await workersOf(master, folder);
  if (left.length === 0) return;
  logger.warn({ processes: left }, 'nginx was left behind by a front that was killed; it is stopped');
  for (const pid of left) signal(pid, 'SIGTERM');
  const until = Date.now() + NGINX_START_MS;
  while (left.some(isAlive) && Date.now() < until) await delay(POLL_MS);
}

/** The processes of nginx in the group that a dead master led. */
async function workersOf(master: number, folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const isWorker = async (pid: number): Promise<boolean> =>
    (await groupOf(pid)) === master && (await wordsOf(pid)).startsWith('nginx: ') && isIn(pid, folder);
  const found = await Promise.all(pids.map(async (pid) => ((await isWorker(pid)) ? [pid] : [])));
  return found.flat();
}

/** NaN where there is no such process. */
async function groupOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  // Behind the name in parentheses: state, parent, group (proc(5)).
  const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(group);
}

function wordsOf(pid: number): Promise<string> {
  return readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '');
}

/** Where NginxProcess starts every nginx of this folder, and no other one runs. */
async function isIn(pid: number, folder: string): Promise<boolean> {
  const place = await readlink(`/proc/${String(pid)}/cwd`).catch(() => '');
  return place !== '' && place === (await realpath(folder).catch(() => folder));
}

async function pidIn(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** By the words of its command line, which Linux tells; elsewhere nobody is taken for an orphan, and the port is found taken. */
async function isNginxOf(pid: number, folder: string): Promise<boolean> {
  const words = await wordsOf(pid);
  return words.includes('nginx') && words.includes(folder) && isIn(pid, folder);
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** @returns false when there is no such process, or it is somebody else's */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
