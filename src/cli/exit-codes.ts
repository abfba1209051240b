import { ERRORS, StorageError, type ErrorCode } from '../errors.js';

/** What each failure means to somebody who reads an exit code; docs/cli.md holds the same table. */
export const EXIT_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  INTERNAL: 'a failure that should not happen',
  INVALID_ARGUMENT: 'wrong use: an unknown option, a path that cannot be',
  NOT_FOUND: 'no such file, folder, version or user',
  ALREADY_EXISTS: 'something is there already',
  PERMISSION_DENIED: 'not allowed, for example an unreadable local file',
  UNAUTHENTICATED: 'a wrong passphrase, or an invitation or certificate that is not good',
  LOCKED: 'the user is locked: unlock first',
  CORRUPT: 'stored bytes are damaged beyond repair',
  NO_SPACE: 'a disk is full',
  TOO_FEW_PEERS: 'not enough peers answer',
  UNAVAILABLE: 'no peer runs in this home, or the connection broke',
  TIMEOUT: 'something took too long',
  UNSUPPORTED: 'made by a newer version of Shoal',
  LIMIT_EXCEEDED: 'larger than a bound allows',
  CONFLICT: 'in the way of something else, for example a folder that is not empty',
  PRECONDITION_FAILED: 'not what the call was conditional on',
  CANCELLED: 'interrupted (Ctrl-C)',
};

/** 128 + the number of the signal, as shells do. */
export const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type ExitSignal = keyof typeof SIGNAL_EXITS;

/** Every exit code with its name and meaning, in order. */
export function exitCodes(): readonly { readonly exit: number; readonly name: string; readonly meaning: string }[] {
  const failures = (Object.keys(ERRORS) as ErrorCode[]).map((code) => ({
    exit: ERRORS[code].exit,
    name: code,
    meaning: EXIT_MEANINGS[code],
  }));
  return [
    { exit: 0, name: 'OK', meaning: 'all is done' },
    ...failures,
    { exit: SIGNAL_EXITS.SIGHUP, name: 'SIGHUP', meaning: 'the terminal was closed' },
    { exit: SIGNAL_EXITS.SIGTERM, name: 'SIGTERM', meaning: 'asked to end' },
  ].sort((a, b) => a.exit - b.exit);
}

export function exitCodesText(): string {
  const lines = exitCodes().map(
    ({ exit, name, meaning }) => `${String(exit).padStart(4)}  ${name.padEnd(18)} ${meaning}`,
  );
  return `${lines.join('\n')}\n`;
}

export function exitCodeOf(error: unknown): number {
  return ERRORS[StorageError.is(error) ? error.code : 'INTERNAL'].exit;
}
