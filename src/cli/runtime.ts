/** The process as the commands see it; tests give them another. */
export interface Runtime {
  /** Aborted by SIGINT, SIGTERM, SIGHUP, and by a reader of stdout that went away. */
  readonly signal: AbortSignal;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
}

export type Input = NodeJS.ReadableStream & AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** https://no-color.org: any non-empty value switches colours off. */
export function wantsColor(stream: Output, env: Runtime['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
