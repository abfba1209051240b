import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StorageError, wrapError } from '../../errors.js';
import { identify, isRunning, type ProcessIdentity } from './process-identity.js';

/**
 * As bin/shoal has it: collector threads cost a peer a fifth of the CPU time of a put, a large young generation costs each of
 * its threads some 15 MiB (docs/decisions/0006).
 */
export const NODE_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=1'] as const;

/** A peer that is asked to end finishes its writes within this; then it is killed. */
const STOP_GRACE_MS = 15_000;
/** The kernel takes a killed process away at once, unless a disk holds it. */
const KILL_GRACE_MS = 5_000;
const POLL_MS = 20;

/** The program that is asked to serve a home. */
export const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Starts `shoal serve` in a process group of its own, so that Ctrl-C in this terminal does not reach it. */
export function launch(home: string, env: Readonly<NodeJS.ProcessEnv>, program: readonly string[]): ProcessIdentity {
  const log = openLog(home);
  try {
    const child = spawn(process.execPath, [...NODE_FLAGS, ...program, 'serve', '--home', home], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...env, SHOAL_HOME: undefined },
    });
    child.once('error', () => undefined); // no pid then, which is reported below
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw startFailure(home);
    writeFileSync(pidFile(home), `${JSON.stringify(identity)}\n`);
    return identity;
  } finally {
    closeSync(log);
  }
}

/** The process that `launch` started for this home, when it still runs. */
export function runningPeer(home: string): ProcessIdentity | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(pidFile(home), 'utf8')) as Partial<ProcessIdentity>;
    if (typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return isRunning({ pid, started }) ? { pid, started } : undefined;
  } catch {
    return undefined; // never started, stopped, or cut short by a power cut
  }
}

/** Sends a signal to the peer of a home, where one runs. */
export function signalPeer(home: string, signal: NodeJS.Signals): void {
  const pid = runningPeer(home)?.pid;
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    return; // it ended by itself meanwhile
  }
}

/** SIGTERM, and SIGKILL after a grace; with `kill` at once. Does nothing when none runs. */
export async function stopPeer(home: string, options: { readonly kill: boolean }): Promise<void> {
  const identity = runningPeer(home);
  if (identity !== undefined) {
    const ended = !options.kill && (await end(identity, 'SIGTERM', STOP_GRACE_MS));
    if (!ended && !(await end(identity, 'SIGKILL', KILL_GRACE_MS))) {
      throw new StorageError(
        'TIMEOUT',
        `Process ${String(identity.pid)} of ${home} does not end, even when killed: is its disk stuck?`,
      );
    }
  }
  rmSync(pidFile(home), { force: true });
}

/** What Node prints around the sentence that matters: stack frames, braces, its version. */
const NOISE = /^(\s.*|[{}]?|Node\.js v.*)$/;

/** Why a peer ended before it answered: the last sentence of its log. */
export function startFailure(home: string): StorageError {
  const lines = readLog(home)
    .split('\n')
    .filter((line) => !NOISE.test(line));
  const last = (lines.at(-1) ?? 'nothing').slice(0, 500);
  return new StorageError(
    'UNAVAILABLE',
    `The peer in ${home} did not start. Its log, ${logFile(home)}, ends with: ${last}`,
  );
}

async function end(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH')
      throw wrapError(error, `Stopping process ${String(identity.pid)}`);
  }
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function openLog(home: string): number {
  try {
    return openSync(logFile(home), 'a', 0o600);
  } catch (error) {
    throw wrapError(error, `Opening ${logFile(home)}`);
  }
}

function readLog(home: string): string {
  try {
    return readFileSync(logFile(home), 'utf8');
  } catch {
    return ''; // it did not come that far
  }
}

function logFile(home: string): string {
  return join(home, 'peer.log');
}

function pidFile(home: string): string {
  return join(home, 'peer.pid');
}
