import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { StorageError, wrapError } from '../../src/errors.js';
import { timeLimit } from '../../src/time-limit.js';
import { cpuSeconds, peakBytes } from './processes.js';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a command took: the process itself and every descendant that was waited for. */
export interface CommandUse {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the process itself. */
  readonly peakBytes: number;
  readonly stdout: Buffer;
}

/** The peak only grows, so the last reading before the end is the peak up to then. */
const PEAK_POLL_MS = 10;
/** Of standard error, to be shown when the command fails. */
const KEPT_CHARACTERS = 2_000;

/**
 * Runs a command to its end. Its CPU time is what this process has been charged for its children meanwhile: so no two
 * commands run at once, and no other child ends meanwhile.
 *
 * @throws StorageError INTERNAL when it fails, TIMEOUT; after an abort the signal's reason
 */
export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandUse> {
  signal.throwIfAborted();
  const before = cpuSeconds(process.pid).reaped;
  const started = performance.now();
  const child = spawn(command.file, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  using deadline = timeLimit(command.timeoutMs, signal);
  const ended = deadline.signal;
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  ended.addEventListener('abort', kill, { once: true });
  try {
    const { code, stdout, stderr, peak } = await follow(child, command);
    const seconds = (performance.now() - started) / 1000;
    signal.throwIfAborted();
    if (deadline.isOver) {
      throw new StorageError('TIMEOUT', `${name(command)} took longer than ${String(command.timeoutMs / 1000)} s.`);
    }
    if (code !== 0) throw new StorageError('INTERNAL', `${name(command)} failed (${String(code)}): ${stderr}`);
    return { seconds, cpuSeconds: cpuSeconds(process.pid).reaped - before, peakBytes: peak, stdout };
  } finally {
    ended.removeEventListener('abort', kill);
  }
}

interface Ending {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly peak: number;
}

async function follow(child: ChildProcess, command: Command): Promise<Ending> {
  const stdout: Buffer[] = [];
  let stderr = '';
  let peak = 0;
  child.stdout?.on('data', (part: Buffer) => stdout.push(part));
  child.stderr?.on('data', (part: Buffer) => {
    stderr = (stderr + part.toString()).slice(-KEPT_CHARACTERS);
  });
  const poll = setInterval(() => {
    if (child.pid !== undefined) peak = peakBytes(child.pid) ?? peak;
  }, PEAK_POLL_MS);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: Buffer.concat(stdout), stderr, peak };
  } catch (error) {
    throw wrapError(error, `Running ${command.file}`);
  } finally {
    clearInterval(poll);
  }
}

function name({ file, args }: Command): string {
  return [file, ...args].join(' ').slice(0, 200);
}
