/** For tests of garbage: an engine of which the outbox and the book of strays are real. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { CatalogHead, Session } from '../../src/catalog/catalog.js';
import type { ChunkSummary, ListOptions } from '../../src/chunk/chunk-store.js';
import {
  type ChunkId,
  parseChunkId,
  parsePeerId,
  parseUserId,
  type PeerId,
  stripeId,
  type StripeId,
} from '../../src/chunk/ids.js';
import { encodeLabel, openLabel } from '../../src/chunk/label.js';
import { sealSigned } from '../../src/chunk/signed.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../../src/crypto/root-key.js';
import { StorageError } from '../../src/errors.js';
import type { Engine } from '../../src/file/engine.js';
import { collectGarbageNow } from '../../src/file/garbage/garbage.js';
import { listNextPage } from '../../src/file/garbage/list-peer.js';
import { GARBAGE_AGE_MS, GARBAGE_LISTINGS } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';
import { Outbox } from '../../src/store/outbox.js';
import { openPeerState } from '../../src/store/peer-state.js';
import { StrayBook } from '../../src/store/stray-book.js';
import { silentTelemetry } from '../../src/telemetry.js';
import type { HomeAnswer } from '../../src/wire/ask-home.js';
import { temporaryFolder } from './offer.js';

export const signal = new AbortController().signal;
export const SELF = parsePeerId(Buffer.alloc(32, 1));
export const OTHER = parsePeerId(Buffer.alloc(32, 2));
const CHUNK_BYTES = 400;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface Stripe {
  readonly id: StripeId;
  readonly label: Uint8Array;
  readonly chunks: readonly ChunkId[];
}

/** @param signer whoever signs in the owner’s name */
export function stripeOf(keys: UserKeys, signer = keys): Stripe {
  const chunks = [1, 2, 3].map(() => parseChunkId(randomBytes(32)));
  const owner = parseUserId(userId(keys.signing.publicKey));
  const sizes = { stripeBytes: 800, chunkBytes: CHUNK_BYTES, directoryOffset: 600, directoryBytes: 200 };
  const label = sealSigned('label', encodeLabel({ owner, k: 2, m: 1, chunks, ...sizes }), signer.signing);
  return { id: stripeId(2, 1, chunks), label, chunks };
}

/** Two peers, at both of whom the user is at home; a real outbox and book over one database. */
export class Subject {
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
  /** Happens when the catalog has looked for what refers to stripes, before it answers. */
  meanwhile: () => void = () => undefined;
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
        const unreferenced = ids.filter((id) => !this.referred.has(id));
        this.meanwhile();
        return unreferenced;
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

  /** Lists what all hold, and begins no deletion. */
  async list(): Promise<void> {
    for (const peer of this.held.keys()) while (!(await listNextPage(this.engine, this.session, peer, signal)));
  }

  /** With as many listings as are needed, but for the last. */
  async passGrace(graceMs = GARBAGE_AGE_MS): Promise<void> {
    for (let n = 0; n < GARBAGE_LISTINGS - 2; n++) await this.list();
    this.nowMs += graceMs;
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
    await this.passGrace();
    return `other ${stray.chunks[0] ?? ''}`;
  }
}
