import type { Session } from '../catalog/catalog.js';
import type { PeerId, StripeId, UserId } from '../chunk/ids.js';
import { MAX_SAFETY_USERS, SAFETY_FAST_MS, SAFETY_REST_FACTOR } from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerView } from './assessment.js';
import type { AuditBook } from './audit-book.js';
import { FileStripes, type FilesCatalog } from './file-stripes.js';
import { addUp, type FilesSafety } from './safety-sum.js';
import type { Machine, Machines } from './stripe-safety.js';

export interface FileSafetyOptions {
  readonly catalog: FilesCatalog;
  readonly book: PeerBook;
  readonly view: Pick<PeerView, 'isGone'>;
  readonly audits: Pick<AuditBook, 'faults' | 'denials' | 'revision'>;
  /** Unix time. */
  readonly clock: () => number;
}

interface Known {
  /** That asked last. */
  session: Session;
  readonly stripes: FileStripes;
  readonly urgent: Set<StripeId>;
  looking: Promise<void> | undefined;
  /** By the monotonic clock, before which the catalog is not looked at again. */
  restUntilMs: number;
  lookedMs: number;
  /** As it was worked out last, and from what. */
  judged: { readonly from: readonly unknown[]; readonly safety: FilesSafety } | undefined;
}

/**
 * Says how safe the files of users are. What was worked out once is kept, and a look at a large catalog is followed by a rest
 * of SAFETY_REST_FACTOR times as long; who answers, and what was found missing, counts at once.
 */
export class FileSafety {
  readonly #options: FileSafetyOptions;
  /** The user that was asked about last is the last. */
  readonly #users = new Map<UserId, Known>();
  #denied: { readonly revision: number; readonly byStripe: ReadonlyMap<StripeId, readonly PeerId[]> } | undefined;

  constructor(options: FileSafetyOptions) {
    this.#options = options;
  }

  /**
   * @param up who answers
   * @throws StorageError LOCKED when the session has ended
   */
  async of(session: Session, up: ReadonlySet<PeerId>): Promise<FilesSafety> {
    const known = this.#known(session);
    if (performance.now() >= known.restUntilMs) known.looking ??= this.#look(known, session);
    await known.looking;
    return this.#judge(known, this.#machines(up));
  }

  /** Forgets the files of those who are unlocked no more: their paths are nobody's to keep. */
  async forgetLocked(): Promise<void> {
    for (const [user, known] of [...this.#users]) {
      const isOpen = await this.#options.catalog.isUnlocked(known.session);
      if (!isOpen && this.#users.get(user) === known) this.#users.delete(user);
    }
  }

  #known(session: Session): Known {
    const { user } = session;
    const known = this.#users.get(user) ?? {
      session,
      stripes: new FileStripes(this.#options.catalog),
      urgent: new Set(),
      looking: undefined,
      restUntilMs: 0,
      lookedMs: 0,
      judged: undefined,
    };
    known.session = session;
    this.#users.delete(user);
    this.#users.set(user, known);
    const [oldest] = this.#users.keys();
    if (this.#users.size > MAX_SAFETY_USERS && oldest !== undefined) this.#users.delete(oldest);
    return known;
  }

  async #look(known: Known, session: Session): Promise<void> {
    const startedMs = performance.now();
    try {
      await known.stripes.look(session, ({ id }) => known.urgent.has(id));
      known.lookedMs = this.#options.clock();
      // A look that failed has seen nothing that could be shown meanwhile.
      const tookMs = performance.now() - startedMs;
      known.restUntilMs = tookMs < SAFETY_FAST_MS ? 0 : performance.now() + tookMs * SAFETY_REST_FACTOR;
    } finally {
      known.looking = undefined;
    }
  }

  #machines(up: ReadonlySet<PeerId>): Machines {
    const { book, view } = this.#options;
    return new Map(
      book.list().map(({ id, zone, state }): [PeerId, Machine] => {
        if (state === 'removed') return [id, { standing: 'out', up: false, zone }];
        const isUp = up.has(id);
        if (!book.isTrusted(id)) return [id, { standing: 'distrusted', up: isUp, zone }];
        if (isUp) return [id, { standing: 'up', up: true, zone }];
        return [id, { standing: view.isGone(id) ? 'out' : 'down', up: false, zone }];
      }),
    );
  }

  /** Anew only when something has changed. */
  #judge(known: Known, machines: Machines): FilesSafety {
    const denied = this.#deniedByStripe();
    const standings = [...machines].map(([peer, { standing, up, zone }]) => [peer, standing, up, zone].join()).join();
    const from = [known.stripes.looks, denied, standings];
    if (known.judged?.from.every((value, at) => value === from[at]) === true) return known.judged.safety;
    const safety = { ...addUp(known, denied, machines), machines, atMs: known.lookedMs };
    known.judged = { from, safety };
    return safety;
  }

  /** What audits found, and what peers deny, by the stripe. */
  #deniedByStripe(): ReadonlyMap<StripeId, readonly PeerId[]> {
    const { audits } = this.#options;
    const { revision } = audits;
    if (this.#denied?.revision === revision) return this.#denied.byStripe;
    const chunks = new Map<StripeId, Map<string, PeerId>>();
    for (const some of [audits.faults(), ...audits.denials.pages()]) {
      for (const { peer, stripe, chunk } of some) {
        const known = chunks.get(stripe) ?? new Map<string, PeerId>();
        chunks.set(stripe, known.set(`${peer} ${chunk}`, peer));
      }
    }
    const byStripe = new Map([...chunks].map(([stripe, peers]) => [stripe, [...peers.values()]]));
    this.#denied = { revision, byStripe };
    return byStripe;
  }
}
