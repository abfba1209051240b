import type { ErrorCode } from '../../src/errors.js';

/** SHA-256, hexadecimal. */
export type Digest = string;

/** What is known of a file, and so what may be found of it. */
export interface Claim {
  /** Where it may be; more than one after a rename of which nobody knows whether it was done. */
  readonly paths: readonly string[];
  /** Any of these may be read; none: nothing may be there. */
  readonly contents: ReadonlySet<Digest>;
  readonly mayBeAbsent: boolean;
}

/** What a reader saw at a path. */
export type Observation =
  | { readonly kind: 'content'; readonly digest: Digest }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly code: ErrorCode | 'UNKNOWN'; readonly message: string };

/** The last two are of the network, not of a file: a peer that does not start, damage that stays. */
export type ViolationKind = 'wrong-content' | 'lost' | 'unreadable' | 'peer-down' | 'unhealed';

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

  /** Paths of files of which everything is known, in the order in which they came. */
  get certain(): readonly string[] {
    return [...this.#certain];
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

/** @param seen what was read at each path of the claim @returns undefined where all is as it may be */
export function judge(claim: Claim, seen: ReadonlyMap<string, Observation>): Violation | undefined {
  const [path = ''] = claim.paths;
  let failure: string | undefined;
  let found = false;
  for (const [at, observation] of seen) {
    if (observation.kind === 'content') {
      found = true;
      const { digest } = observation;
      if (!claim.contents.has(digest)) return { kind: 'wrong-content', path: at, detail: wrong(claim, digest) };
    } else if (observation.kind === 'failed') failure ??= `${observation.code}: ${observation.message}`;
  }
  if (found || claim.mayBeAbsent) return undefined;
  if (failure !== undefined) return { kind: 'unreadable', path, detail: failure };
  return { kind: 'lost', path, detail: `nothing is at ${claim.paths.join(' or ')}` };
}

function wrong({ contents }: Claim, digest: Digest): string {
  const expected = [...contents].map((each) => each.slice(0, 12)).join(' or ');
  return `${digest.slice(0, 12)} instead of ${expected === '' ? 'nothing' : expected}`;
}
