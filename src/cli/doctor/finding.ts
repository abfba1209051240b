/** `unknown`: it could not be looked at, for a reason that another check tells of or that is said with it. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

/** What one check found. */
export interface Finding {
  /** What was looked at, in a word or two: "disk space". */
  readonly check: string;
  readonly level: Level;
  /** One sentence. */
  readonly found: string;
  /** What to do; null where nothing is to be done. */
  readonly remedy: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, level: 'ok', found, remedy: null };
}

/** It works, and is likely not to one day. */
export function warning(check: string, found: string, remedy: string): Finding {
  return { check, level: 'warning', found, remedy };
}

/** Something does not work, or files are in danger. */
export function problem(check: string, found: string, remedy: string): Finding {
  return { check, level: 'problem', found, remedy };
}

export function unknown(check: string, found: string, remedy: string | null = null): Finding {
  return { check, level: 'unknown', found, remedy };
}
