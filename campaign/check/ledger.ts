import type { ErrorCode } from '../../src/errors.js';

/** SHA-256, hexadecimal. */
export type Digest = string;

/** What is known of a file, and so what may be found of it. */
export interface Claim {
  /** Where it may be; more than one after a rename of which nobody knows whether it was done. */
  readonly paths: readonly string[];
  /** Any of these may be read, at one of the paths; none: nothing may be there. */
  readonly contents: ReadonlySet<Digest>;
  readonly mayBeAbsent: boolean;
}

/** What a reader saw at a path. */
export type Observation =
  | { readonly kind: 'content'; readonly digest: Digest }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly code: ErrorCode | 'UNKNOWN'; readonly message: string };

/** The first are of a file, the last of the network. */
export type ViolationKind =
  | 'wrong-content'
  | 'lost'
  /** Something is where it was removed, or at both ends of a rename. */
  | 'returned'
  | 'unreadable'
  /** An answer that no fault excuses: INTERNAL, CORRUPT. */
  | 'broken'
  /** A peer that should start and does not. */
  | 'peer-down'
  /** Damage that stays. */
  | 'unhealed'
  /** Damage beyond the tolerance of which the network says nothing, or of which it says too much. */
  | 'untold'
  /** A campaign that tried nothing. */
  | 'no-load';

export interface Violation {
  readonly kind: ViolationKind;
  /** Of the file, or the name of the peer. */
  readonly path: string;
  readonly detail: string;
}

/**
 * Every write that was tried, and what follows from its answer. A write without an acknowledgement may have happened or
 * not; whoever writes must leave its paths alone from then on, so that one doubt does not grow into many.
 */
export class Ledger {
  readonly #claims = new Map<string, Claim>();
  readonly #certain = new Set<string>();
  readonly #gone = new Set<string>();

  /** Paths of files of which everything is known, in the order in which they came. */
  get certain(): readonly string[] {
    return [...this.#certain];
  }

  /** Where something was that was removed or renamed, for certain; no path is used again. */
  get gone(): readonly string[] {
    return [...this.#gone];
  }

  /** Each once. */
  get claims(): readonly Claim[] {
    return [...new Set(this.#claims.values())];
  }

  at(path: string): Claim | undefined {
    return this.#claims.get(path);
  }

  put(path: string, digest: Digest, acknowledged: boolean): void {
    if (acknowledged) {
      this.#claim({ paths: [path], contents: new Set([digest]), mayBeAbsent: false });
      this.#certain.add(path);
      return;
    }
    const before = this.#claims.get(path);
    const contents = new Set([...(before?.contents ?? []), digest]);
    this.#doubt({ paths: [path], contents, mayBeAbsent: before?.mayBeAbsent ?? true });
  }

  remove(path: string, acknowledged: boolean): void {
    const contents = acknowledged ? [] : (this.#claims.get(path)?.contents ?? []);
    if (acknowledged) this.#gone.add(path);
    this.#doubt({ paths: [path], contents: new Set(contents), mayBeAbsent: true });
  }

  /** @param to a path that was never used */
  move(from: string, to: string, acknowledged: boolean): void {
    const contents = this.#claims.get(from)?.contents ?? new Set<Digest>();
    if (!acknowledged) {
      this.#doubt({ paths: [from, to], contents, mayBeAbsent: false });
      return;
    }
    this.remove(from, true);
    this.#claim({ paths: [to], contents, mayBeAbsent: false });
    this.#certain.add(to);
  }

  #claim(claim: Claim): void {
    for (const path of claim.paths) this.#claims.set(path, claim);
  }

  #doubt(claim: Claim): void {
    this.#claim(claim);
    for (const path of claim.paths) this.#certain.delete(path);
  }
}

/**
 * What cannot be read is `unreadable` also where nothing would be right: a file is there whole, or it is not there.
 *
 * @param seen what was read at each path of the claim
 * @returns undefined where all is as it may be
 */
export function judge(claim: Claim, seen: ReadonlyMap<string, Observation>): Violation | undefined {
  const { contents, paths } = claim;
  const found: string[] = [];
  let failed: Violation | undefined;
  for (const [path, observation] of seen) {
    if (observation.kind === 'content') {
      const { digest } = observation;
      if (contents.size === 0) return { kind: 'returned', path, detail: `${digest.slice(0, 12)} instead of nothing` };
      if (!contents.has(digest)) return { kind: 'wrong-content', path, detail: wrong(claim, digest) };
      found.push(path);
    } else if (observation.kind === 'failed') failed ??= failure(path, observation);
  }
  if (failed !== undefined) return failed;
  const [path = '', ...others] = found.length > 0 ? found : paths;
  if (found.length > 1) return { kind: 'returned', path, detail: `it is at ${others.join(' and ')}, too` };
  if (found.length === 1 || claim.mayBeAbsent) return undefined;
  return { kind: 'lost', path, detail: `nothing is at ${paths.join(' or ')}` };
}

/** Answers that no fault of other peers excuses: what is damaged is taken from elsewhere, or waits for who is away. */
export function isBroken(code: string): boolean {
  return code === 'INTERNAL' || code === 'CORRUPT' || code === 'UNKNOWN';
}

function failure(path: string, { code, message }: Extract<Observation, { kind: 'failed' }>): Violation {
  return { kind: isBroken(code) ? 'broken' : 'unreadable', path, detail: `${code}: ${message}` };
}

function wrong({ contents }: Claim, digest: Digest): string {
  const expected = [...contents].map((each) => each.slice(0, 12)).join(' or ');
  return `${digest.slice(0, 12)} instead of ${expected}`;
}
