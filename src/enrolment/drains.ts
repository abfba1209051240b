import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { Turns } from '../documents/replication/turns.js';
import { readIfThere, writeDurably } from '../durable-file.js';
import { StorageError, wrapError } from '../errors.js';
import type { PeerLinks } from '../file/peer-links.js';
import { type Amount, type DrainPlan, planDrain } from '../healing/drain-plan.js';
import { Rounds } from '../healing/rounds.js';
import { amount, inBinary } from '../healing/words.js';
import { HOME } from '../home.js';
import { DEPARTURE_POLL_MS, DEPARTURE_STALL_MS, DEPARTURE_SURVEY_MS, EVENT_REST_FACTOR } from '../limits.js';
import type { Logger } from '../log.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { type Administration, onePeer } from './administration.js';

export interface DrainsOptions {
  readonly home: string;
  readonly administration: Pick<Administration, 'self' | 'peers' | 'drain' | 'remove' | 'demandMayLeave'>;
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
  readonly book: PeerBook;
  readonly links: Pick<PeerLinks, 'store' | 'remote' | 'pingAll'>;
  /** Peers that have been silent for the grace period, as src/healing/liveness.ts counts it. */
  readonly gone: (signal: AbortSignal) => Promise<ReadonlySet<PeerId>>;
  readonly clock: () => number;
  readonly logger: Logger;
}

/** How far a peer is on its way out. */
export interface DrainStatus {
  readonly peer: PeerRecord;
  readonly phase: 'member' | 'leaving' | 'left';
  /** It leaves even where a chunk has no other place. */
  readonly forced: boolean;
  /** Chunks that lie there and nowhere else; undefined: not counted yet. */
  readonly left: Amount | undefined;
  /** The most that was left since this process watches. */
  readonly totalBytes: number;
  /** At the speed until now; undefined while there is none. */
  readonly secondsLeft: number | undefined;
  /** Of what is left: such as no other peer can take. */
  readonly staying: Amount;
  /** What it waits for; undefined when it goes on by itself. */
  readonly reason: string | undefined;
}

const NOTHING: Amount = { chunks: 0, bytes: 0 };
const FILE = 'drains.json';
const MINUTE_MS = 60_000;
/** Peers that a sentence names. */
const NAMED = 4;

/** Of a drain that was begun here, while it lasts. */
class Drain {
  readonly forced: boolean;
  left: Amount | undefined;
  plan: DrainPlan | undefined;
  /** Unix time from which on the records are worth another look. */
  planAgainMs = 0;
  reason: string | undefined;
  totalBytes = 0;
  /** By the clock of the peer that leaves: the count that it had when it was first asked may be from before it was told to leave. */
  firstCountedMs: number | undefined;
  /** Less was left than ever before, or this process began to watch. */
  #gained: { readonly atMs: number; readonly chunks: number } | undefined;
  #first: { readonly atMs: number; readonly bytes: number } | undefined;
  secondsLeft: number | undefined;

  constructor(forced: boolean) {
    this.forced = forced;
  }

  count(left: Amount, nowMs: number): void {
    this.left = left;
    this.totalBytes = Math.max(this.totalBytes, left.bytes);
    this.#first ??= { atMs: nowMs, bytes: left.bytes };
    const moved = this.#first.bytes - left.bytes;
    if (moved > 0) this.secondsLeft = (left.bytes * (nowMs - this.#first.atMs)) / moved / 1000;
  }

  /** Nothing was gained for long. */
  isStalled(nowMs: number): boolean {
    const chunks = this.left?.chunks ?? Number.POSITIVE_INFINITY;
    if (this.#gained === undefined || chunks < this.#gained.chunks) this.#gained = { atMs: nowMs, chunks };
    return nowMs - this.#gained.atMs >= DEPARTURE_STALL_MS;
  }
}

/**
 * Sees peers off: what lies at one that is to leave is moved by whoever knows the stripes (src/healing/repairer.ts), and
 * when nothing is left that only it has, this puts it out of the network. That is remembered on the disk, so it goes on after
 * a restart; where this peer is lost meanwhile, the same command at another one with the authority's role goes on.
 */
export class Drains implements AsyncDisposable {
  readonly #options: DrainsOptions;
  readonly #rounds: Rounds;
  /** Nobody is put out while somebody has it stay, and the file is written by one at a time. */
  readonly #turns = new Turns(1);
  #drains: Promise<Map<PeerId, Drain>> | undefined;

  constructor(options: DrainsOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      doing: 'Seeing peers off',
      pauseMs: () => DEPARTURE_POLL_MS,
      isBusy: () => false,
      work: (signal) => this.round(signal),
      logger: options.logger,
    });
  }

  /**
   * Has a peer leave, when its chunks have been moved. Once more for one that is leaving: `force` may be changed.
   *
   * @param meant a name, or the first digits of an id
   * @throws StorageError as Administration.drain; TOO_FEW_PEERS when some chunks have no other place and `force` is not given,
   * or fewer than k of their stripe would be left; NO_SPACE when the others have too little room
   */
  async begin(meant: string, force: boolean, signal: AbortSignal): Promise<DrainStatus> {
    const { administration } = this.#options;
    const peer = await administration.demandMayLeave(meant);
    // Who would have to wait for a peer that is silent is told so first.
    const plan = await this.#plan(peer.id, false, signal);
    if (peer.state === 'member' || force) demandPossible(peer, plan, force);
    const drains = await this.#known();
    await this.#turns.take(async () => {
      await administration.drain(peer.id, true);
      const drain = new Drain(force);
      drain.plan = plan;
      drain.reason = reasonOf(peer, plan, force);
      drains.set(peer.id, drain);
      await this.#save(drains);
    });
    return await this.status(peer.id);
  }

  /** It stays after all. What was moved stays where it is now. @throws StorageError as Administration.drain */
  async cancel(meant: string): Promise<DrainStatus> {
    const { administration } = this.#options;
    const { id } = onePeer(await administration.peers(), meant);
    const drains = await this.#known();
    await this.#turns.take(async () => {
      // First: a crash in between leaves a peer that nobody puts out.
      if (drains.delete(id)) await this.#save(drains);
      await administration.drain(id, false);
    });
    return await this.status(id);
  }

  /** @throws StorageError NOT_FOUND, CONFLICT as onePeer */
  async status(meant: string): Promise<DrainStatus> {
    const peer = onePeer(await this.#options.administration.peers(), meant);
    const drain = (await this.#known()).get(peer.id);
    const phase = peer.state === 'removed' ? 'left' : peer.state === 'draining' ? 'leaving' : 'member';
    const elsewhere =
      phase === 'leaving' && drain === undefined
        ? `It was told to leave at another peer. \`shoal peer drain ${peer.name}\` has this one see it off.`
        : undefined;
    return {
      ...{ peer, phase, forced: drain?.forced ?? false, left: phase === 'left' ? NOTHING : drain?.left },
      ...{ totalBytes: drain?.totalBytes ?? 0, secondsLeft: phase === 'leaving' ? drain?.secondsLeft : undefined },
      ...{ staying: drain?.plan?.staying ?? NOTHING, reason: drain?.reason ?? elsewhere },
    };
  }

  /** Looks how far each is, and puts out who has nothing left. */
  async round(signal: AbortSignal): Promise<void> {
    const drains = await this.#known();
    if (drains.size === 0) return;
    const begun = [...drains];
    const peers = await this.#options.administration.peers();
    for (const [id, drain] of begun) {
      try {
        const peer = peers.find((each) => each.id === id);
        const isLeaving = peer?.state === 'draining';
        if (isLeaving && !(await this.#isOver(peer, drain, signal))) continue;
        await this.#end(id, drain, isLeaving);
      } catch (error) {
        signal.throwIfAborted();
        // One that cannot be seen off now is no reason to leave the others.
        drain.reason = wrapError(error, 'Seeing a peer off').message;
      }
    }
  }

  /** @param isLeaving it is put out */
  async #end(id: PeerId, drain: Drain, isLeaving: boolean): Promise<void> {
    const drains = await this.#known();
    await this.#turns.take(async () => {
      // Meanwhile it was told to stay, or begun anew with another choice.
      if (drains.get(id) !== drain) return;
      if (isLeaving) await this.#options.administration.remove(id);
      drains.delete(id);
      await this.#save(drains);
    });
  }

  async close(): Promise<void> {
    await this.#rounds.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #isOver(peer: PeerRecord, drain: Drain, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const { counted, silence } = await this.#count(peer, drain, signal);
    const mayStay = drain.forced ? (drain.plan?.staying.chunks ?? 0) : 0;
    const seemsOver = counted !== undefined && counted.chunks <= mayStay;
    const nowMs = clock();
    const known = nowMs < drain.planAgainMs ? drain.plan : undefined;
    const plan = known ?? (await this.#plan(peer.id, true, signal));
    const isFresh = plan !== known;
    if (isFresh) {
      drain.plan = plan;
      const tookMs = clock() - nowMs;
      drain.planAgainMs = clock() + (seemsOver ? tookMs * EVENT_REST_FACTOR : DEPARTURE_SURVEY_MS);
    }
    const { moving, staying, unreadable } = plan;
    if (counted === undefined) drain.count(sum(moving, staying), clock());
    const stall = drain.isStalled(clock()) ? stalled(peer, drain.left) : undefined;
    drain.reason = silence ?? reasonOf(peer, plan, drain.forced) ?? stall;
    if (!seemsOver || moving.chunks > 0 || unreadable > 0) return false;
    if (staying.chunks > 0 && !drain.forced) return false;
    // Another may have left since: the next round looks at the records again, and decides by what it finds.
    if (!isFresh) drain.planAgainMs = 0;
    return isFresh;
  }

  /** @returns without a count what is amiss, when it does not say */
  async #count(peer: PeerRecord, drain: Drain, signal: AbortSignal): Promise<{ counted?: Amount; silence?: string }> {
    const { links, clock } = this.#options;
    const counting = { counted: { chunks: Number.POSITIVE_INFINITY, bytes: 0 } };
    try {
      const { countedMs, ...left } = await links.remote(peer.id).countLeft({ signal });
      drain.firstCountedMs ??= countedMs;
      if (countedMs === 0 || countedMs === drain.firstCountedMs) return counting;
      drain.count(left, clock());
      return { counted: left };
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = wrapError(error, 'Asking what is left');
      // It has not heard of it yet.
      if (code === 'CONFLICT') return counting;
      const silence = `${peer.name} does not say what it still has (${message}). What lies there is rebuilt from other peers when it has been silent for the grace period; if it does not answer any more, \`shoal peer remove ${peer.name}\` puts it out.`;
      return { silence };
    }
  }

  /** @param awaits of the end: a machine that starts anew is no reason to leave without its help */
  async #plan(peer: PeerId, awaits: boolean, signal: AbortSignal): Promise<DrainPlan> {
    const { catalog, book, links, administration } = this.#options;
    const gone = await this.#options.gone(signal);
    const answers = await links.pingAll(signal);
    const answering = new Set([...answers].flatMap(([id, latencyMs]) => (latencyMs === undefined ? [] : id)));
    const places = { answering, gone, awaits };
    return await planDrain(peer, { self: administration.self, catalog, book, links, ...places }, signal);
  }

  #known(): Promise<Map<PeerId, Drain>> {
    this.#drains ??= readDrains(this.#file).catch((error: unknown) => {
      this.#drains = undefined;
      throw error;
    });
    return this.#drains;
  }

  async #save(drains: ReadonlyMap<PeerId, Drain>): Promise<void> {
    const saved = [...drains].map(([peer, { forced }]) => ({ peer, forced }));
    await writeDurably(this.#file, `${JSON.stringify(saved)}\n`);
  }

  get #file(): string {
    return join(this.#options.home, HOME.state, FILE);
  }
}

/** @throws StorageError CORRUPT */
async function readDrains(file: string): Promise<Map<PeerId, Drain>> {
  const text = await readIfThere(file);
  if (text === undefined) return new Map();
  try {
    const saved = JSON.parse(text) as readonly { readonly peer: string; readonly forced: boolean }[];
    return new Map(saved.map(({ peer, forced }) => [parsePeerId(peer), new Drain(forced)]));
  } catch (error) {
    throw new StorageError('CORRUPT', `${file} cannot be read. Delete it, and begin to drain again.`, { cause: error });
  }
}

/** @throws StorageError TOO_FEW_PEERS, NO_SPACE */
function demandPossible({ name }: PeerRecord, plan: DrainPlan, force: boolean): void {
  const { moving, staying, unreadable, margin = 0, roomBytes } = plan;
  const chunks = `${amount(staying.chunks, 'chunk')} (${inBinary(staying.bytes)})`;
  if (unreadable > 0) {
    throw new StorageError(
      'TOO_FEW_PEERS',
      `Without ${name}, ${amount(unreadable, 'stripe')} could not be read any more: too few of their other chunks can be had now. Start the peers that are down, or invite a new machine; nothing was moved.`,
    );
  }
  if (staying.chunks > 0 && !force) {
    const bears = margin === 0 ? 'no more peer may fail' : `any ${amount(margin, 'more peer')} may fail`;
    throw new StorageError(
      'TOO_FEW_PEERS',
      `${chunks} of ${name} ${have(staying)} no other place: every other peer holds a chunk of the same stripe already, or does not answer. Start the peers that are down, or invite a new machine first; or \`shoal peer drain ${name} --force\` lets it leave without moving what has none: each such stripe is one chunk short until a machine joins, and until then ${bears}.${awaitedByForce(plan)} Nothing was moved.`,
    );
  }
  if (moving.bytes > roomBytes) {
    throw new StorageError(
      'NO_SPACE',
      `The other peers have ${inBinary(roomBytes)} of room for the ${inBinary(moving.bytes)} of ${name}. Give them more with \`shoal peer set --capacity\`, or invite a new machine. Nothing was moved.`,
    );
  }
}

/** What a drain that was begun waits for. */
function reasonOf({ name }: PeerRecord, plan: DrainPlan, forced: boolean): string | undefined {
  const { staying, awaited, unreadable } = plan;
  if (unreadable > 0) return `${name} is needed: ${amount(unreadable, 'stripe')} could not be read without it now.`;
  const reasons: string[] = [];
  if (staying.chunks > 0 && !forced) {
    reasons.push(
      `${amount(staying.chunks, 'chunk')} ${have(staying)} no other place by now: every other peer holds a chunk of the same stripe already, or does not answer. Start the peers that are down, invite a new machine, or say \`shoal peer drain ${name} --force\`.`,
    );
  }
  if (awaited.chunks > 0) {
    reasons.push(
      `${amount(awaited.chunks, 'chunk')} of ${name} ${have(awaited)} no other place than ${awaitedPeers(awaited)}. Start what is down, or invite a new machine.`,
    );
  }
  return reasons.length > 0 ? reasons.join(' ') : undefined;
}

/** Leaving by force is no way round a peer that may be back in a minute. */
function awaitedByForce({ awaited }: DrainPlan): string {
  if (awaited.chunks === 0) return '';
  return ` ${amount(awaited.chunks, 'chunk')} of these could go to ${awaitedPeers(awaited)}, with --force too.`;
}

/** "attic, which does not answer, and is waited for until …". */
function awaitedPeers({ peers }: DrainPlan['awaited']): string {
  const names = peers.slice(0, NAMED).map(({ name }) => name);
  if (peers.length > NAMED) names.push(amount(peers.length - NAMED, 'other peer'));
  const gone = '(silent for `graceHours`)';
  return names.length === 1
    ? `${names.join('')}, which does not answer, and is waited for until it does or is gone ${gone}`
    : `${names.join(' or ')}, which do not answer, and are waited for until one does or all are gone ${gone}`;
}

/** Why it does not go on is known to whoever was to move something. */
function stalled({ name }: PeerRecord, left: Amount | undefined): string {
  const rest =
    left === undefined
      ? `${name} has not counted yet what is left there`
      : `${amount(left.chunks, 'chunk')} (${inBinary(left.bytes)}) ${left.chunks === 1 ? 'is' : 'are'} left at ${name}`;
  return `Nothing was gained for ${amount(DEPARTURE_STALL_MS / MINUTE_MS, 'minute')}: ${rest}. \`shoal repair\` tells more; \`shoal peer remove ${name}\` puts it out without what is left.`;
}

function have({ chunks }: Amount): string {
  return chunks === 1 ? 'has' : 'have';
}

function sum(one: Amount, other: Amount): Amount {
  return { chunks: one.chunks + other.chunks, bytes: one.bytes + other.bytes };
}
