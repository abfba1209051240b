import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StorageError, wrapError } from '../errors.js';
import { MAX_PASSPHRASE_BYTES } from '../limits.js';
import type { Runtime } from './runtime.js';

/** From a file, from a pipe, or asked for on a terminal without an echo. One final line end is not part of it. */
export async function readPassphrase(runtime: Runtime, file: string | undefined): Promise<string> {
  if (file !== undefined) return checked(await readPassphraseFile(file));
  const { stdin } = runtime;
  return checked(stdin.isTTY === true ? await ask(runtime) : await readPipe(stdin));
}

export async function readPassphraseFile(file: string): Promise<string> {
  try {
    return withoutLineEnd(await readFile(file, 'utf8'));
  } catch (error) {
    throw wrapError(error, `Reading the passphrase from ${file}`);
  }
}

async function readPipe(stdin: Runtime['stdin']): Promise<string> {
  let text = '';
  for await (const part of stdin) {
    text += part.toString();
    if (text.length > MAX_PASSPHRASE_BYTES) break;
  }
  return withoutLineEnd(text);
}

async function ask({ stdin, stderr, signal }: Runtime): Promise<string> {
  stderr.write('Passphrase: ');
  // readline echoes to its output: this one drops what it is given
  const nowhere = new Writable({
    write(_part, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true });
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // raw mode takes Ctrl-C from the terminal driver
  try {
    const closed = once(lines, 'close', { signal }).then(() => ['']);
    const [line] = (await Promise.race([once(lines, 'line', { signal }), closed])) as string[];
    return line ?? '';
  } catch (error) {
    throw signal.aborted ? signal.reason : wrapError(error, 'Asking for the passphrase');
  } finally {
    lines.close();
    stderr.write('\n');
  }
}

function checked(passphrase: string): string {
  if (passphrase === '') {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'The passphrase is empty: type it, pipe it in, or name a file with --passphrase-file.',
    );
  }
  if (Buffer.byteLength(passphrase) > MAX_PASSPHRASE_BYTES) {
    throw new StorageError('INVALID_ARGUMENT', `A passphrase has at most ${String(MAX_PASSPHRASE_BYTES)} bytes.`);
  }
  return passphrase;
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
