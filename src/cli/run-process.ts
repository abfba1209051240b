import { StorageError } from '../errors.js';
import { exitCodeOf, SIGNAL_EXITS, type ExitSignal } from './exit-codes.js';
import type { Runtime } from './runtime.js';

/**
 * Runs a program as this process and ends the process with its exit code: the one place where errors become exit codes.
 * A signal aborts the program; a program that returns after that, as a server does, has ended well. A second signal ends
 * the process at once.
 */
export async function runProcess(program: (runtime: Runtime) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const seen: { signal?: ExitSignal; readerGone?: boolean } = {};
  for (const signal of Object.keys(SIGNAL_EXITS) as ExitSignal[]) {
    process.on(signal, () => {
      if (seen.signal !== undefined) process.exit(SIGNAL_EXITS[signal]);
      seen.signal = signal;
      controller.abort(new StorageError('CANCELLED', 'Interrupted.'));
    });
  }
  // `shoal cat /big | head` is a normal end, not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    seen.readerGone = error.code === 'EPIPE';
    controller.abort(new StorageError('CANCELLED', `Standard output cannot be written: ${error.message}`));
  });
  process.stderr.on('error', () => undefined); // nobody is left to be told

  try {
    await program(runtimeOf(controller.signal));
    // Without a signal, only standard output can have failed.
    process.exitCode =
      controller.signal.aborted && seen.signal === undefined ? exitCodeOf(controller.signal.reason) : 0;
  } catch (error) {
    if (seen.readerGone !== true) report(error);
    process.exitCode = seen.signal === undefined ? exitCodeOf(error) : SIGNAL_EXITS[seen.signal];
  }
  if (seen.readerGone === true) process.exitCode = 0;
  // Standard input may still be open, and would keep the process alive; what was written to a pipe must get out first.
  process.stdout.write('', () => process.exit());
}

function runtimeOf(signal: AbortSignal): Runtime {
  return {
    // Opening standard input makes a handle that keeps the process alive: only a command that reads it does so.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal,
  };
}

/** One line that says what to do next; a bug of ours shows its stack, so that it can be reported. */
function report(error: unknown): void {
  const code = StorageError.is(error) ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  if (process.argv.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
    return;
  }
  process.stderr.write(`shoal: ${message.replaceAll('\n', ' ')}\n`);
  if (!StorageError.is(error) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}
