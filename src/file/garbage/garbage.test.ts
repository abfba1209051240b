import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/contract/offer.js';
import type { CatalogHead, Session } from '../../catalog/catalog.js';
import type { ChunkSummary, ListOptions } from '../../chunk/chunk-store.js';
import {
  type ChunkId,
  parseChunkId,
  parsePeerId,
  parseUserId,
  type PeerId,
  stripeId,
  type StripeId,
} from '../../chunk/ids.js';
import { encodeLabel, openLabel } from '../../chunk/label.js';
import { sealSigned } from '../../chunk/signed.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../../crypto/root-key.js';
import { StorageError } from '../../errors.js';
import {
  GARBAGE_AGE_MS,
  HOMES_RETRY_MS,
  INVENTORY_INTERVAL_MS,
  INVENTORY_RETRY_MS,
  MANY_STRAYS,
} from '../../limits.js';
import { silentLogger } from '../../log.js';
import { Outbox } from '../../store/outbox.js';
import { openPeerState } from '../../store/peer-state.js';
import { StrayBook } from '../../store/stray-book.js';
import { silentTelemetry } from '../../telemetry.js';
import type { HomeAnswer } from '../../wire/ask-home.js';
import type { Engine } from '../engine.js';
import { collectGarbage, collectGarbageNow } from './garbage.js';
import { homeLookup } from './homes.js';

const signal = new AbortController().signal;
const SELF = parsePeerId(Buffer.alloc(32, 1));
const OTHER = parsePeerId(Buffer.alloc(32, 2));
const CHUNK_BYTES = 400;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Stripe {
  readonly id: StripeId;
  readonly label: Uint8Array;
  readonly chunks: readonly ChunkId[];
}

/** @param signer whoever signs in the owner’s name */
function stripeOf(keys: UserKeys, signer = keys): Stripe {
  const chunks = [1, 2, 3].map(() => parseChunkId(randomBytes(32)));
  const owner = parseUserId(userId(keys.signing.publicKey));
  const sizes = { stripeBytes: 800, chunkBytes: CHUNK_BYTES, directoryOffset: 600, directoryBytes: 200 };
  const label = sealSigned('label', encodeLabel({ owner, k: 2, m: 1, chunks, ...sizes }), signer.signing);
  return { id: stripeId(2, 1, chunks), label, chunks };
}

/** Two peers, at both of whom the user is at home; a real outbox and book over one database. */
class Subject {
  readonly keys = deriveUserKeys(newRootKey());
  readonly session: Session;
  readonly referred = new Set<StripeId>();
  readonly pinned = new Set<StripeId>();
  readonly held = new Map<PeerId, readonly ChunkSummary[]>([
    [SELF, []],
    [OTHER, []],
  ]);
  homes: readonly PeerId[] = [SELF];
  /** What the other one says; undefined: it does not answer. */
  answer: HomeAnswer | undefined = { held: new Set(), counter: 0, callerCounter: 0 };
  heads: readonly CatalogHead[] = [];
  isWhole = true;
  rotation: 'none' | 'running' = 'none';
  readonly asked: string[] = [];
  nowMs = 1_000_000;
  readonly outbox: Outbox;
  readonly strays: StrayBook;

  private constructor(outbox: Outbox, strays: StrayBook) {
    this.session = { user: parseUserId(userId(this.keys.signing.publicKey)), name: 'demo' } as Session;
    this.outbox = outbox;
    this.strays = strays;
  }

  static async open(context: TestContext): Promise<Subject> {
    const state = await openPeerState(await temporaryFolder(context));
    context.after(() => state.close());
    const clock = { now: (): number => 0 };
    const now = (): number => clock.now();
    const subject = new Subject(Outbox.over(state, now), new StrayBook(state, now));
    clock.now = () => subject.nowMs;
    return subject;
  }

  /** The chunk of this index lies at a peer. */
  lay(peer: PeerId, { label, chunks }: Stripe, index: number): void {
    const id = chunks[index] ?? assert.fail();
    const all = [...(this.held.get(peer) ?? []), { id, bytes: CHUNK_BYTES, owner: this.session.user, label }];
    this.held.set(
      peer,
      all.sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  }

  get engine(): Engine {
    const members = [SELF, OTHER].map((id) => ({ id, name: id === SELF ? 'self' : 'other', state: 'member' }));
    const catalog = {
      sign: async () => new Uint8Array(),
      unreferenced: async (_: unknown, ids: readonly StripeId[]) => {
        if (!this.isWhole) throw new StorageError('UNAVAILABLE', 'A part is missing.');
        return ids.filter((id) => !this.referred.has(id));
      },
      homes: async () => this.homes.map((peer) => ({ user: this.session.user, peer })),
      heads: async () => this.heads,
      keyRotation: async () => ({ state: this.rotation }),
      stripes: async (ids: readonly StripeId[]) => ids.map(() => undefined),
      forgetStripes: async () => undefined,
    };
    const list = (peer: PeerId): ((options: ListOptions) => AsyncGenerator<ChunkSummary>) => {
      const { held, asked } = this;
      return async function* ({ after }) {
        asked.push(peer === SELF ? 'self' : 'other');
        for (const summary of held.get(peer) ?? []) if (after === undefined || summary.id > after) yield summary;
      };
    };
    const links = {
      store: (peer: PeerId) => ({
        list: list(peer),
        delete: () => Promise.reject(new StorageError('PERMISSION_DENIED', 'It deletes nothing.')),
      }),
      remote: () => ({
        askHome: async () => this.answer ?? Promise.reject(new StorageError('UNAVAILABLE', 'Nobody is there.')),
      }),
    };
    const book = { list: () => members, get: (peer: PeerId) => members.find(({ id }) => id === peer) };
    const { outbox, strays, pinned } = this;
    const told = { logger: silentLogger(), telemetry: silentTelemetry() };
    return { self: SELF, catalog, links, book, outbox, strays, pinned, ...told } as unknown as Engine;
  }

  async collect(old = false): Promise<readonly string[]> {
    await collectGarbageNow(this.engine, this.session, { signal, old, onPeer: () => undefined });
    return this.waiting();
  }

  /** The chunks whose deletion has begun, as "peer chunk". */
  waiting(): readonly string[] {
    this.nowMs += 365 * DAY_MS;
    const due = this.outbox.due(this.session.user).flatMap(({ deletes }) => deletes);
    this.nowMs -= 365 * DAY_MS;
    return due.map(({ peer, chunk }) => `${peer === SELF ? 'self' : 'other'} ${chunk}`).sort();
  }

  /** Both were listed once before what follows comes to lie there. */
  async watch(): Promise<void> {
    await this.collect();
    this.nowMs += 1;
  }

  /** Of the first chunk that the other peer has. */
  strayStripe(): StripeId {
    return openLabel(this.held.get(OTHER)?.[0]?.label ?? assert.fail()).stripe;
  }

  /** A stripe of which the other peer has a chunk for long enough. */
  async ripeStray(): Promise<string> {
    const stray = stripeOf(this.keys);
    await this.watch();
    this.lay(OTHER, stray, 0);
    assert.deepEqual(await this.collect(), []);
    this.nowMs += GARBAGE_AGE_MS;
    return `other ${stray.chunks[0] ?? ''}`;
  }
}

describe('a chunk that no file refers to', () => {
  it('is deleted when two listings so far apart had it; what a file refers to, and what is another’s, is not', async (context) => {
    const subject = await Subject.open(context);
    const [used, strange] = [stripeOf(subject.keys), stripeOf(deriveUserKeys(newRootKey()))];
    subject.referred.add(used.id);
    await subject.watch();
    const stray = stripeOf(subject.keys);
    const forged = stripeOf(subject.keys, deriveUserKeys(newRootKey()));
    for (const stripe of [used, strange, forged, stray]) subject.lay(OTHER, stripe, 0);
    subject.lay(SELF, stray, 1);
    assert.deepEqual(await subject.collect(), []);
    subject.nowMs += GARBAGE_AGE_MS - 1;
    assert.deepEqual(await subject.collect(), [], 'too early');
    subject.nowMs += 1;
    assert.deepEqual(await subject.collect(), [`other ${stray.chunks[0] ?? ''}`, `self ${stray.chunks[1] ?? ''}`]);
  });

  it('that was there before this peer watched is deleted by an order alone', async (context) => {
    const subject = await Subject.open(context);
    const old = stripeOf(subject.keys);
    subject.lay(OTHER, old, 0);
    await subject.watch();
    // Repair has moved a chunk of it meanwhile.
    subject.lay(SELF, old, 1);
    await subject.collect();
    subject.nowMs += GARBAGE_AGE_MS;
    assert.deepEqual(await subject.collect(), []);
    const [told] = subject.strays.totals().filter(({ peer }) => peer === SELF);
    assert.deepEqual([told?.chunks, told?.oldChunks], [1, 1]);
    assert.equal((await subject.collect(true)).length, 2);
  });

  it('is kept when a file refers to it again, when it is pinned, noted for a put, or the catalog is not whole', async (context) => {
    const subject = await Subject.open(context);
    const ripe = await subject.ripeStray();
    const id = subject.strayStripe();
    subject.isWhole = false;
    assert.deepEqual(await subject.collect(), []);
    subject.isWhole = true;
    subject.rotation = 'running';
    assert.deepEqual(await subject.collect(), []);
    subject.rotation = 'none';
    subject.pinned.add(id);
    assert.deepEqual(await subject.collect(), []);
    subject.pinned.clear();
    await subject.outbox.intend({ stripe: id, owner: subject.session.user, chunks: [], targets: [] });
    assert.deepEqual(await subject.collect(), []);
    subject.outbox.settle([id]);
    subject.referred.add(id);
    assert.deepEqual(await subject.collect(), []);
    subject.referred.clear();
    assert.deepEqual(await subject.collect(), [], 'it is one only from now on');
    subject.nowMs += GARBAGE_AGE_MS;
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('stays in the outbox with the reason when its peer refuses to delete it, and is not begun twice', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    await subject.collect();
    subject.nowMs += GARBAGE_AGE_MS;
    await subject.collect();
    const [waiting, ...others] = subject.outbox.waiting();
    assert.deepEqual(others, []);
    assert.deepEqual([waiting?.peer, waiting?.chunks, waiting?.reason], [OTHER, 1, 'It deletes nothing.']);
    assert.deepEqual(subject.strays.totals(), []);
  });
});

describe('homes of the user', () => {
  async function atTwo(context: TestContext): Promise<{ readonly subject: Subject; readonly ripe: string }> {
    const subject = await Subject.open(context);
    subject.homes = [SELF, OTHER];
    return { subject, ripe: await subject.ripeStray() };
  }

  it('are waited for while one does not answer', async (context) => {
    const { subject, ripe } = await atTwo(context);
    const answer = subject.answer;
    subject.answer = undefined;
    assert.deepEqual(await subject.collect(), []);
    assert.deepEqual(
      subject.strays.watches().map(({ awaited }) => awaited),
      [[OTHER]],
    );
    subject.answer = answer;
    await collectGarbage(subject.engine, subject.session, signal);
    assert.deepEqual(subject.waiting(), [], 'not asked again at once');
    subject.nowMs += HOMES_RETRY_MS;
    await collectGarbage(subject.engine, subject.session, signal);
    assert.deepEqual(subject.waiting(), [ripe]);
  });

  it('keep what they hold back, and what they wrote has to have come', async (context) => {
    const { subject, ripe } = await atTwo(context);
    subject.answer = { held: new Set([subject.strayStripe()]), counter: 7, callerCounter: 0 };
    subject.heads = [{ peer: OTHER, written: 7, come: 7 }];
    assert.deepEqual(await subject.collect(), []);
    subject.answer = { held: new Set(), counter: 8, callerCounter: 0 };
    assert.deepEqual(await subject.collect(), []);
    subject.heads = [{ peer: OTHER, written: 8, come: 8 }];
    // This peer was put back to an old disk: others have seen more of what it wrote than it has itself.
    subject.answer = { held: new Set(), counter: 8, callerCounter: 5 };
    assert.deepEqual(await subject.collect(), []);
    subject.heads = [...subject.heads, { peer: SELF, written: 5, come: 5 }];
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('that are no homes any more leave time to recover what only they knew', async (context) => {
    const { subject, ripe } = await atTwo(context);
    subject.homes = [SELF];
    assert.deepEqual(await subject.collect(), []);
    subject.nowMs += GARBAGE_AGE_MS;
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('that are none by their records are believed when they hold something back', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    subject.answer = { held: new Set([subject.strayStripe()]), counter: 0, callerCounter: 0 };
    assert.deepEqual(await subject.collect(), []);
  });

  it('say what they hold back, and how far they have written', async (context) => {
    const subject = await Subject.open(context);
    const [pinned, intended, free] = [stripeOf(subject.keys), stripeOf(subject.keys), stripeOf(subject.keys)];
    const owner = subject.session.user;
    subject.pinned.add(pinned.id);
    await subject.outbox.intend({ stripe: intended.id, owner, chunks: [], targets: [] });
    subject.heads = [
      { peer: SELF, written: 5, come: 0 },
      { peer: OTHER, written: 9, come: 0 },
    ];
    const word = await homeLookup(subject.engine)({
      ...{ owner, caller: OTHER },
      stripes: [pinned.id, intended.id, free.id],
    });
    assert.deepEqual(word, { held: new Set([pinned.id, intended.id]), counter: 5, callerCounter: 9 });
  });
});

describe('listing what peers hold', () => {
  it('is done for each once a day, and sooner again where it failed', async (context) => {
    const subject = await Subject.open(context);
    const step = (): Promise<void> => collectGarbage(subject.engine, subject.session, signal);
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked.splice(0).sort(), ['other', 'self']);
    subject.nowMs += INVENTORY_INTERVAL_MS;
    subject.isWhole = false;
    subject.lay(SELF, stripeOf(subject.keys), 0);
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked.splice(0).sort(), ['other', 'self']);
    const [failed] = subject.strays.inventories(subject.session.user).filter(({ peer }) => peer === SELF);
    assert.equal(failed?.failure, 'A part is missing.');
    subject.nowMs += INVENTORY_RETRY_MS;
    subject.isWhole = true;
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked, ['self']);
  });

  it('goes on where it was, and forgets what is there no more', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stripes = Array.from({ length: 1_100 }, () => stripeOf(subject.keys));
    for (const stripe of stripes) subject.lay(OTHER, stripe, 0);
    subject.nowMs += INVENTORY_INTERVAL_MS;
    for (let i = 0; i < 3; i++) await collectGarbage(subject.engine, subject.session, signal);
    assert.equal(subject.asked.filter((name) => name === 'other').length, 3, 'once before, and two pages');
    assert.equal(subject.strays.totals()[0]?.chunks, 1_100);
    subject.held.set(OTHER, (subject.held.get(OTHER) ?? []).slice(0, 10));
    await subject.collect();
    assert.equal(subject.strays.totals()[0]?.chunks, 10);
  });

  it('is given up for an hour when the labels do not hold', async (context) => {
    const subject = await Subject.open(context);
    for (let n = 0; n < 300; n++) subject.lay(OTHER, stripeOf(deriveUserKeys(newRootKey())), 0);
    await subject.collect();
    const [told] = subject.strays.inventories(subject.session.user).filter(({ peer }) => peer === OTHER);
    assert.match(told?.failure ?? '', /300 labels/);
    assert.equal(told?.listedMs, 0);
  });

  it('begins anew after a recovery: of what lies there nobody knows why it does', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    await subject.strays.forget(subject.session.user);
    assert.deepEqual(await subject.collect(), []);
    subject.nowMs += GARBAGE_AGE_MS;
    assert.deepEqual(await subject.collect(), []);
    assert.equal((await subject.collect(true)).length, 1);
  });
});

describe('so much garbage that the catalog may be an old one', () => {
  it('is deleted by an order alone', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stray = Array.from({ length: MANY_STRAYS + 1 }, () => stripeOf(subject.keys));
    for (const stripe of stray) subject.lay(OTHER, stripe, 0);
    await subject.collect();
    subject.nowMs += GARBAGE_AGE_MS;
    assert.deepEqual(await subject.collect(), []);
    subject.referred.add(stray[0]?.id ?? assert.fail());
    assert.equal((await subject.collect()).length, MANY_STRAYS, 'one less is not too many');
  });
});
