import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { PeerId, StripeId } from '../chunk/ids.js';
import type { PeerLinks } from '../file/peer-links.js';
import {
  AUDIT_QUICK_LOOK_MS,
  AUDIT_SECOND_LOOK_MS,
  DENIALS_RECHECK_MS,
  HOLDINGS_INTERVAL_MS,
  HOLDINGS_LEAST_MS,
  HOLDINGS_REST_MS,
  MAX_DENIED_STRIPES,
  PINGS_AT_ONCE,
  SURVEY_PAGE,
} from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import { briefOf, HoldingsAsk, type PlacedChunk } from './ask-holdings.js';
import { knownStripes, placeOf } from './chunk-labels.js';
import { ComparisonRests } from './comparison-rests.js';
import type { Compared, Denial, Denials } from './denials.js';

export interface HoldingsOptions {
  readonly network: {
    readonly self: PeerId;
    readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
    readonly book: PeerBook;
    readonly links: Pick<PeerLinks, 'holdings' | 'ping'>;
  };
  readonly denials: Denials;
  /** Of a put under way here. */
  readonly isPinned: (stripe: StripeId) => boolean;
  /** Own chunks that are known to be damaged, where this process knows. */
  readonly ownDamages: () => number;
  /** Unix time. */
  readonly clock: () => number;
  /** Before what is denied is asked for again where somebody waits; AUDIT_QUICK_LOOK_MS unless given. */
  readonly quickLookMs?: number;
  /** After each call in the background; HOLDINGS_REST_MS unless given. */
  readonly restMs?: number;
}

/** How a peer was compared. */
export interface ComparedPeer {
  readonly peer: PeerId;
  /** Unix time; undefined: never yet. */
  readonly atMs: number | undefined;
  /** Chunks that the records place there and that it does not have, or has damaged. */
  readonly denied: number;
}

export interface HoldingsState {
  readonly running: boolean;
  /** Unix time of the member that was compared longest ago, of those that answer; undefined: one never was. */
  readonly oldestMs: number | undefined;
  readonly denied: number;
  readonly peers: readonly ComparedPeer[];
}

/** What waits for its second look. */
interface Suspicion {
  readonly dueMs: number;
  readonly stripes: ReadonlySet<StripeId>;
  /** Peers that have been compared when that is over. */
  readonly compared: ReadonlyMap<PeerId, Compared>;
}

interface Pace {
  readonly restMs: number;
  readonly signal: AbortSignal;
}

/**
 * Compares what the records of the stripes that this peer knows place at each member with what the member says it has: a
 * disk that was lost is known within a round, and not when audits happen upon it. What is denied is asked for again, with
 * the record read anew, before it counts; and what its owner took back is told apart (docs/decisions/0021-safety.md).
 */
export class Holdings {
  readonly #options: HoldingsOptions;
  readonly #rests = new ComparisonRests();
  #suspicion: Suspicion | undefined;
  #recheckedMs: number;
  #ownDamages = 0;
  #running: Promise<void> | undefined;

  constructor(options: HoldingsOptions) {
    this.#options = options;
    this.#recheckedMs = options.clock();
  }

  state(): HoldingsState {
    const { denials, network } = this.#options;
    const peers = this.#members().map((peer) => {
      return { peer, atMs: denials.compared(peer)?.atMs, denied: denials.countOf(peer) };
    });
    const answering = peers.filter(({ peer }) => network.book.seemsUp(peer)).map(({ atMs }) => atMs ?? 0);
    const oldestMs = answering.length === 0 ? 0 : Math.min(...answering);
    return {
      running: this.#running !== undefined,
      oldestMs: oldestMs === 0 ? undefined : oldestMs,
      denied: peers.reduce((sum, { denied }) => sum + denied, 0),
      peers,
    };
  }

  /** In the background: a second look that is due, or whoever is to be compared now. */
  round(signal: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      const { clock, denials, restMs = HOLDINGS_REST_MS } = this.#options;
      const pace = { restMs, signal };
      if (this.#suspicion !== undefined) {
        const leftMs = this.#suspicion.dueMs - clock();
        // More is left only when the clock was turned back.
        if (leftMs <= 0 || leftMs > AUDIT_SECOND_LOOK_MS) await this.#lookAgain(this.#suspicion, pace);
        return;
      }
      if (denials.count > 0 && Math.abs(clock() - this.#recheckedMs) >= DENIALS_RECHECK_MS) await this.#recheck(pace);
      const due = await this.#due(signal);
      if (due.size > 0) await this.#look(due, { ...pace, againMs: AUDIT_SECOND_LOOK_MS });
    });
  }

  /** All members, and at once; what is denied is asked for again after a moment. Waits for a round that is under way. */
  async now(signal: AbortSignal): Promise<HoldingsState> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    await this.#alone(async () => {
      const { quickLookMs = AUDIT_QUICK_LOOK_MS } = this.#options;
      const pace = { restMs: 0, signal };
      await this.#recheck(pace);
      await this.#look(new Set(this.#members()), { ...pace, againMs: quickLookMs });
      if (this.#suspicion === undefined) return;
      await delay(quickLookMs, undefined, { signal });
      await this.#lookAgain(this.#suspicion, pace);
    });
    return this.state();
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#running !== undefined) return;
    this.#running = work();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  #members(): PeerId[] {
    return this.#options.network.book.list().flatMap(({ id, state }) => (state === 'removed' ? [] : id));
  }

  /** Who answers, and was not compared for long, or has opened its store anew since. */
  async #due(signal: AbortSignal): Promise<Set<PeerId>> {
    const { network, denials, clock, ownDamages } = this.#options;
    const { self, book, links } = network;
    const members = this.#members();
    await denials.forgetOthers(new Set(members));
    this.#rests.forgetOthers(new Set(members));
    for (let at = 0; at < members.length; at += PINGS_AT_ONCE) {
      await Promise.all(members.slice(at, at + PINGS_AT_ONCE).map((peer) => links.ping(peer, signal)));
    }
    const damages = ownDamages();
    const isOwnDue = damages !== this.#ownDamages;
    const nowMs = clock();
    const due = new Set(
      members.filter((peer) => {
        if (!book.seemsUp(peer) || this.#rests.isResting(peer, nowMs)) return false;
        const { atMs, opened } = denials.compared(peer) ?? { atMs: 0, opened: '' };
        // A clock that was turned back makes everything due.
        const age = atMs > nowMs ? HOLDINGS_INTERVAL_MS : nowMs - atMs;
        const isNew = book.opened(peer) !== opened || (peer === self && isOwnDue);
        return age >= HOLDINGS_INTERVAL_MS || (isNew && age >= HOLDINGS_LEAST_MS);
      }),
    );
    // Else they are news until this peer is compared.
    if (due.has(self)) this.#ownDamages = damages;
    return due;
  }

  /** The first look. What of it is denied waits for the second one. */
  async #look(peers: ReadonlySet<PeerId>, { againMs, ...pace }: Pace & { readonly againMs: number }): Promise<void> {
    const { network, denials, isPinned, clock } = this.#options;
    const { book } = network;
    const marks = new Map([...peers].map((peer) => [peer, book.opened(peer)]));
    const ask = new HoldingsAsk(network.links, pace);
    const suspects = new Set<StripeId>();
    /** Of whom more is denied than can wait for the second look. */
    const left = new Set<PeerId>();
    const back: Pick<Denial, 'peer' | 'chunk'>[] = [];
    const take = async (): Promise<void> => {
      for (const { peer, chunk, stripe, answer } of await ask.answers()) {
        const known = denials.of(peer, chunk);
        if (answer === 'held') {
          if (known !== undefined) back.push({ peer, chunk });
          continue;
        }
        // What looked like a removal may prove to be a loss, when others of the stripe answer again.
        if (known !== undefined && known !== 'withdrawn') continue;
        if (suspects.has(stripe.id) || suspects.size < MAX_DENIED_STRIPES) suspects.add(stripe.id);
        else left.add(peer);
      }
    };
    for await (const record of knownStripes(network, pace.signal)) {
      if (isPinned(record.id)) continue;
      for (const placed of placedChunks(record)) if (peers.has(placed.peer)) ask.add(placed);
      if (ask.isFull) await take();
      if (ask.silent.size === peers.size) break;
    }
    await ask.flush();
    await take();
    await denials.settle(back);
    const atMs = clock();
    const compared = [...peers].filter((peer) => !ask.silent.has(peer) && !left.has(peer) && book.seemsUp(peer));
    const done = new Map(
      compared.map((peer) => [peer, { atMs, opened: ask.opened(peer) ?? marks.get(peer) ?? '' }] as const),
    );
    for (const peer of peers) if (!done.has(peer)) this.#rests.begin(peer, atMs);
    if (suspects.size > 0) this.#suspicion = { dueMs: atMs + againMs, stripes: suspects, compared: done };
    else await this.#finish(done);
  }

  async #lookAgain({ stripes, compared }: Suspicion, pace: Pace): Promise<void> {
    const { network, denials, isPinned, clock } = this.#options;
    const ask = new HoldingsAsk(network.links, { ...pace, byOwner: true });
    const left = new Set<PeerId>();
    const all = [...stripes];
    for (let at = 0; at < all.length; at += SURVEY_PAGE) {
      const some = all.slice(at, at + SURVEY_PAGE).filter((stripe) => !isPinned(stripe));
      const records = (await network.catalog.stripes(some)).filter((record) => record !== undefined);
      const found = await this.#judged(records, compared, ask);
      for (const peer of await denials.note(found)) left.add(peer);
    }
    this.#suspicion = undefined;
    const done = new Map([...compared].filter(([peer]) => !ask.silent.has(peer) && !left.has(peer)));
    const nowMs = clock();
    for (const peer of compared.keys()) if (!done.has(peer)) this.#rests.begin(peer, nowMs);
    await this.#finish(done);
  }

  /** Asks everybody who should hold a chunk of these stripes, and whether its owner took it back. */
  async #judged(
    records: readonly StripeRecord[],
    peers: ReadonlyMap<PeerId, unknown>,
    ask: HoldingsAsk,
  ): Promise<readonly Denial[]> {
    const members = new Set(this.#members());
    for (const placed of records.flatMap(placedChunks)) if (members.has(placed.peer)) ask.add(placed);
    await ask.flush();
    const held = new Map<StripeId, number>();
    const answers = await ask.answers();
    const takenBack = new Set<StripeId>();
    for (const { stripe, answer } of answers) {
      if (answer === 'held') held.set(stripe.id, (held.get(stripe.id) ?? 0) + 1);
      if (answer === 'withdrawn') takenBack.add(stripe.id);
    }
    const atMs = this.#options.clock();
    return answers.flatMap(({ peer, chunk, stripe, answer }) => {
      if (answer === 'held' || !peers.has(peer)) return [];
      // An owner takes back all of a stripe: while k others are there one that lacks was lost, else somebody knows of it.
      const isRemoval = answer === 'missing' && takenBack.has(stripe.id) && (held.get(stripe.id) ?? 0) < stripe.k;
      return { peer, chunk, stripe: stripe.id, reason: isRemoval ? 'withdrawn' : answer, atMs };
    });
  }

  /** What was denied before: is it there again, or does no record want it any more? */
  async #recheck(pace: Pace): Promise<void> {
    const { network, denials, clock } = this.#options;
    for (const page of denials.pages()) {
      pace.signal.throwIfAborted();
      const records = await network.catalog.stripes(page.map(({ stripe }) => stripe));
      const ask = new HoldingsAsk(network.links, pace);
      const settled: Pick<Denial, 'peer' | 'chunk'>[] = [];
      for (const [at, { peer, chunk }] of page.entries()) {
        const record = records[at];
        const isWanted = record !== undefined && placeOf(record, chunk)?.peer === peer;
        if (isWanted) ask.add({ peer, chunk, stripe: briefOf(record) });
        else settled.push({ peer, chunk });
      }
      await ask.flush();
      for (const { peer, chunk, answer } of await ask.answers()) if (answer === 'held') settled.push({ peer, chunk });
      await denials.settle(settled);
    }
    this.#recheckedMs = clock();
    denials.publish();
  }

  async #finish(compared: ReadonlyMap<PeerId, Compared>): Promise<void> {
    const { denials } = this.#options;
    await denials.noteCompared(compared);
    for (const peer of compared.keys()) this.#rests.end(peer);
    denials.publish();
  }
}

function placedChunks(record: StripeRecord): PlacedChunk[] {
  const stripe = briefOf(record);
  return record.chunks.flatMap((chunk, index) => {
    const peer = record.placement[index]?.peer;
    return peer === undefined ? [] : { peer, chunk, stripe };
  });
}
