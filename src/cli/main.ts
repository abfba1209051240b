/** The entry of `shoal`, and the only place that turns errors into exit codes. */
import { StorageError } from '../errors.js';
import { exitCodeOf, SIGNAL_EXITS, type ExitSignal } from './exit-codes.js';
import { runProgram } from './program.js';
import type { Runtime } from './runtime.js';

const words = process.argv.slice(2);
const controller = new AbortController();
const runtime: Runtime = {
  // Opening standard input makes a handle that keeps the process alive: only a command that reads it does so.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
};

let received: ExitSignal | undefined;
let readerGone = false;

for (const signal of Object.keys(SIGNAL_EXITS) as ExitSignal[]) {
  process.on(signal, () => {
    if (received !== undefined) process.exit(SIGNAL_EXITS[signal]); // asked twice: do not wait for the clean-up
    received = signal;
    controller.abort(new StorageError('CANCELLED', 'Interrupted.'));
  });
}
// `shoal cat /big | head` is a normal end, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  readerGone ||= error.code === 'EPIPE';
  controller.abort(new StorageError('CANCELLED', `Standard output cannot be written: ${error.message}`));
});
process.stderr.on('error', () => undefined); // nobody is left to be told

process.exitCode = await run();
// Standard input may still be open, and would keep the process alive; what is written to a pipe must get out first.
process.stdout.write('', () => process.exit());

async function run(): Promise<number> {
  try {
    await runProgram(words, runtime);
    if (!controller.signal.aborted || readerGone) return 0;
    return received === undefined ? exitCodeOf(controller.signal.reason) : 0; // a server that was asked to end did so
  } catch (error) {
    if (readerGone) return 0;
    report(error);
    return received !== undefined && controller.signal.aborted ? SIGNAL_EXITS[received] : exitCodeOf(error);
  }
}

/** One line that says what to do next; a bug of ours shows its stack, so that it can be reported. */
function report(error: unknown): void {
  const code = StorageError.is(error) ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  if (words.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
    return;
  }
  process.stderr.write(`shoal: ${message.replaceAll('\n', ' ')}\n`);
  if (!StorageError.is(error) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}
