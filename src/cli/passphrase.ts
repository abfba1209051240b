import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StorageError, wrapError } from '../errors.js';
import { MAX_KIT_TEXT_CHARS, MAX_PASSPHRASE_BYTES } from '../limits.js';
import type { Runtime } from './runtime.js';

/** From a file, from a pipe, or asked for on a terminal without an echo. One final line end is not part of it. */
export async function readPassphrase(runtime: Runtime, file: string | undefined, what = 'Passphrase'): Promise<string> {
  if (file !== undefined) return checked(await readPassphraseFile(file));
  const { stdin } = runtime;
  return checked(stdin.isTTY === true ? await ask(runtime, { what, echo: false }) : await readPipe(stdin));
}

/** As readPassphrase; a terminal is asked twice, because nobody sees what is typed. */
export async function readNewPassphrase(runtime: Runtime, file: string | undefined): Promise<string> {
  const passphrase = await readPassphrase(runtime, file, 'New passphrase');
  if (file !== undefined || runtime.stdin.isTTY !== true) return passphrase;
  if ((await ask(runtime, { what: 'Once more', echo: false })) === passphrase) return passphrase;
  throw new StorageError('INVALID_ARGUMENT', 'The two passphrases differ. Nothing was changed: try again.');
}

/** What is there already, and what replaces it. */
export interface Replacement {
  readonly old: string;
  readonly next: string;
}

export interface ReplacementFiles {
  readonly old: string | undefined;
  readonly next: string | undefined;
}

/** The old and the new passphrase. Where both come from a pipe they are its first two lines. */
export async function readPassphraseChange(runtime: Runtime, files: ReplacementFiles): Promise<Replacement> {
  if (runtime.stdin.isTTY !== true && files.old === undefined && files.next === undefined) {
    const { first, rest } = twoLines(await readPipe(runtime.stdin));
    return { old: checked(first), next: checked(rest) };
  }
  const old = await readPassphrase(runtime, files.old, 'Old passphrase');
  return { old, next: await readNewPassphrase(runtime, files.next) };
}

/** The words of a recovery kit, which are shown as they are typed, and a new passphrase; as readPassphraseChange. */
export async function readRecovery(runtime: Runtime, files: ReplacementFiles): Promise<Replacement> {
  const { stdin } = runtime;
  if (files.old !== undefined) {
    const words = await readPassphraseFile(files.old);
    return { old: words, next: await readNewPassphrase(runtime, files.next) };
  }
  if (stdin.isTTY === true) {
    const words = await ask(runtime, { what: 'The 24 words of the recovery kit, in one line', echo: true });
    return { old: words, next: await readNewPassphrase(runtime, files.next) };
  }
  const text = await readPipe(stdin);
  if (files.next !== undefined) return { old: text, next: await readNewPassphrase(runtime, files.next) };
  const { first, rest } = twoLines(text);
  return { old: first, next: checked(rest) };
}

export async function readPassphraseFile(file: string): Promise<string> {
  try {
    return withoutLineEnd(await readFile(file, 'utf8'));
  } catch (error) {
    throw wrapError(error, `Reading the passphrase from ${file}`);
  }
}

/** The longest that is asked for: the words of a kit and a passphrase. */
const MAX_PIPE_CHARS = MAX_KIT_TEXT_CHARS + MAX_PASSPHRASE_BYTES;

async function readPipe(stdin: Runtime['stdin']): Promise<string> {
  let text = '';
  for await (const part of stdin) {
    text += part.toString();
    if (text.length > MAX_PIPE_CHARS) break;
  }
  return withoutLineEnd(text);
}

function twoLines(text: string): { readonly first: string; readonly rest: string } {
  const [first = '', ...rest] = text.split('\n');
  return { first: withoutLineEnd(`${first}\n`), rest: rest.join('\n') };
}

interface Question {
  readonly what: string;
  readonly echo: boolean;
}

async function ask({ stdin, stderr, signal }: Runtime, { what, echo }: Question): Promise<string> {
  stderr.write(`${what}: `);
  // readline echoes to its output: this one drops what it is given
  const nowhere = new Writable({
    write(_part, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: echo ? stderr : nowhere, terminal: true });
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
