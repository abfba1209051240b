import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ControlClient } from './control-client.js';
import type { Runtime } from './runtime.js';

/** Options that every command takes, before or after its name. */
export interface CommonOptions {
  readonly json?: true;
  readonly home?: string;
  readonly user?: string;
}

/** What one command module exports: it fills in the command that bears its name. */
export type Define = (command: Command, runtime: Runtime) => void;

/** `--home`, else SHOAL_HOME, else ~/.shoal; absolute. */
export function homeOf(options: CommonOptions, env: Runtime['env']): string {
  return resolve(options.home ?? nonEmpty(env['SHOAL_HOME']) ?? join(homedir(), '.shoal'));
}

/** One run of one command: the peer it speaks to, and the way it speaks to its caller. */
export class Invocation implements AsyncDisposable {
  readonly json: boolean;
  /** Absolute. */
  readonly home: string;
  readonly client: ControlClient;
  readonly runtime: Runtime;

  constructor(command: Command, runtime: Runtime) {
    const options = command.optsWithGlobals<CommonOptions>();
    this.json = options.json === true;
    this.runtime = runtime;
    this.home = homeOf(options, runtime.env);
    this.client = new ControlClient(this.home, { user: options.user, signal: runtime.signal });
  }

  /** The result on stdout: one line of JSON with --json, else what `text` makes of it (nothing for ""). */
  result(value: unknown, text: () => string): void {
    const shown = this.json ? JSON.stringify(value) : text();
    if (shown !== '') this.runtime.stdout.write(`${shown}\n`);
  }

  /** A remark for a person, on stderr; a program reads the result instead. */
  note(text: string): void {
    if (!this.json) this.runtime.stderr.write(`${text}\n`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client.close();
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
