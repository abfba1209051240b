/** For tests: the program as a child process, and what came of it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CliOptions {
  readonly home: string;
  readonly input?: string | Buffer;
  readonly cwd?: string;
}

export function startCli(words: readonly string[], { home, cwd }: CliOptions): ChildProcessWithoutNullStreams {
  const env = { ...process.env, SHOAL_HOME: home, NO_COLOR: '1' };
  return spawn(process.execPath, [MAIN, ...words], { env, cwd });
}

export async function runCli(words: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = startCli(words, options);
  child.stdin.on('error', () => undefined); // a command that reads no input closes it
  child.stdin.end(options.input ?? '');
  return finished(child);
}

export async function finished(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.on('data', (part: Buffer) => stderr.push(part));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
