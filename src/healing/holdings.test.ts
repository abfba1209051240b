import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { StripeRecord } from '../catalog/catalog.js';
import type { Holdings as Told } from '../chunk/holdings.js';
import { parseChunkId, parsePeerId, parseStripeId, type ChunkId, type PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import {
  AUDIT_SECOND_LOOK_MS,
  DENIALS_RECHECK_MS,
  HOLDINGS_INTERVAL_MS,
  HOLDINGS_LEAST_MS,
  MAX_IDS_PER_CALL,
} from '../limits.js';
import { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import type { Database } from '../store/sqlite.js';
import { openPeerState } from '../store/peer-state.js';
import { Denials } from './denials.js';
import { Holdings } from './holdings.js';

const { signal } = new AbortController();
const hex = (n: number): string => n.toString(16).padStart(64, '0');
const [SELF, ANN, BOB] = [1, 2, 3].map((n) => parsePeerId(hex(n))) as [PeerId, PeerId, PeerId];
const PEERS = [SELF, ANN, BOB];

/** Chunk `at` of the stripe of a number. */
const chunkOf = (stripe: number, at: number): ChunkId => parseChunkId(hex(stripe * PEERS.length + at));

/** What a peer says, and what it has heard. */
class Fake {
  readonly lost = new Set<ChunkId>();
  readonly withdrawn = new Set<ChunkId>();
  opened = 'first';
  isSilent = false;
  calls = 0;
  onCall: () => void = () => undefined;
}

describe('Holdings', () => {
  let folder: string;
  let state: Database;
  let denials: Denials;
  let holdings: Holdings;
  let book: PeerBook;
  let records: Map<string, StripeRecord>;
  let fakes: Map<PeerId, Fake>;
  let nowMs: number;
  let ownDamages: number;
  let recordsRead: number;

  const fake = (peer: PeerId): Fake => {
    const found = fakes.get(peer);
    assert.ok(found !== undefined);
    return found;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-holdings-'));
    state = await openPeerState(folder);
    denials = new Denials(state);
    nowMs = 1_700_000_000_000;
    [ownDamages, recordsRead] = [0, 0];
    records = new Map();
    fakes = new Map(PEERS.map((peer) => [peer, new Fake()]));
    book = new PeerBook(PEERS.map(peerRecord), () => nowMs);
    store(1);
    const catalog = {
      stripeIds: async ({ after = '' }: { after?: string }) => [...records.keys()].filter((id) => id > after).sort(),
      stripes: async (ids: readonly string[]) => {
        recordsRead += ids.length;
        return ids.map((id) => records.get(id));
      },
    } as unknown as ConstructorParameters<typeof Holdings>[0]['network']['catalog'];
    holdings = new Holdings({
      network: { self: SELF, catalog, book, links: { holdings: tell, ping } },
      denials,
      isPinned: () => false,
      ownDamages: () => ownDamages,
      clock: () => nowMs,
      quickLookMs: 0,
      restMs: 0,
    });
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });

  function peerRecord(id: PeerId): PeerRecord {
    const about = { name: id.slice(-2), zone: '', address: '', capacityBytes: 1, backup: false };
    return { id, ...about, certificate: new Uint8Array(), state: 'member' };
  }

  /** A stripe of one chunk at each peer, of which k are enough. */
  function store(stripe: number, k = 1): void {
    const id = parseStripeId(hex(stripe));
    const chunks = PEERS.map((_, at) => chunkOf(stripe, at));
    const placement = PEERS.map((peer) => ({ peer }));
    records.set(id, { id, owner: 'ann', k, chunks, placement } as unknown as StripeRecord);
  }

  async function tell(peer: PeerId, ids: readonly ChunkId[]): Promise<Told> {
    const { lost, withdrawn, opened, isSilent, onCall } = fake(peer);
    fake(peer).calls++;
    if (isSilent) throw new StorageError('TIMEOUT', 'No answer.');
    book.reportOpened(peer, opened);
    const held = new Set(ids.filter((id) => !lost.has(id) && !withdrawn.has(id)));
    const told = {
      held,
      damaged: new Set<ChunkId>(),
      withdrawn: new Set(ids.filter((id) => withdrawn.has(id))),
      opened,
    };
    onCall();
    return told;
  }

  /** Who answers nothing else answers these. */
  async function ping(peer: PeerId): Promise<number> {
    book.reportOpened(peer, fake(peer).opened);
    return 1;
  }

  async function round(afterMs = 0): Promise<void> {
    nowMs += afterMs;
    await holdings.round(signal);
  }

  it('takes a peer that was silent at the second look for one that was not compared', async () => {
    fake(BOB).lost.add(chunkOf(1, 2));
    await round();
    fake(BOB).isSilent = true;
    await round(AUDIT_SECOND_LOOK_MS);
    assert.deepEqual([denials.compared(BOB), denials.count], [undefined, 0]);
    assert.ok(denials.compared(ANN) !== undefined);
    fake(BOB).isSilent = false;
    await round(HOLDINGS_LEAST_MS);
    await round(AUDIT_SECOND_LOOK_MS);
    assert.deepEqual([denials.compared(BOB)?.opened, denials.countOf(BOB)], ['first', 1]);
  });

  it('compares anew a peer that opened another store while it was compared', async () => {
    fake(BOB).onCall = () => {
      fake(BOB).opened = 'second';
      book.reportOpened(BOB, 'second');
    };
    await round();
    assert.equal(denials.compared(BOB)?.opened, 'first');
    const { calls } = fake(BOB);
    await round(HOLDINGS_LEAST_MS);
    assert.equal(fake(BOB).calls, calls + 1);
    assert.equal(denials.compared(BOB)?.opened, 'second');
  });

  it('lets a peer rest that answers pings and nothing else, for longer each time', async () => {
    fake(BOB).isSilent = true;
    const looksMs: number[] = [];
    for (let minute = 0; minute < 40; minute++) {
      const { calls } = fake(BOB);
      await round(60_000);
      if (fake(BOB).calls > calls) looksMs.push(minute * 60_000);
    }
    assert.deepEqual(looksMs, [0, HOLDINGS_LEAST_MS, 3 * HOLDINGS_LEAST_MS, 7 * HOLDINGS_LEAST_MS]);
    fake(BOB).isSilent = false;
    await holdings.now(signal);
    assert.ok(denials.compared(BOB) !== undefined, 'whoever waits has all asked');
  });

  it('goes through no more records when all that it asks are silent', async () => {
    for (let stripe = 2; stripe <= 2 * MAX_IDS_PER_CALL; stripe++) store(stripe);
    fake(BOB).isSilent = true;
    await round();
    assert.equal(recordsRead, records.size, 'the others were asked, too');
    await round(HOLDINGS_LEAST_MS);
    assert.ok(recordsRead < 2 * records.size);
    assert.equal(fake(BOB).calls, 2);
  });

  it('asks for what was denied before, also while somebody is always to be compared', async () => {
    fake(ANN).lost.add(chunkOf(1, 1));
    await holdings.now(signal);
    assert.equal(denials.countOf(ANN), 1);
    fake(ANN).lost.clear();
    fake(BOB).isSilent = true;
    fake(BOB).opened = 'second';
    await round(DENIALS_RECHECK_MS);
    assert.deepEqual([fake(BOB).calls > 0, denials.count], [true, 0]);
  });

  it('waits for its looks no longer when the clock was turned back', async () => {
    fake(ANN).lost.add(chunkOf(1, 1));
    await round();
    await round(-HOLDINGS_INTERVAL_MS);
    assert.equal(denials.countOf(ANN), 1, 'the second look');
    fake(ANN).lost.clear();
    await denials.noteCompared(
      new Map(PEERS.map((peer) => [peer, { atMs: nowMs - HOLDINGS_INTERVAL_MS, opened: 'first' }])),
    );
    await round(-HOLDINGS_INTERVAL_MS);
    assert.equal(denials.count, 0, 'what was denied');
  });

  it('compares itself for a chunk that it found damaged, be it so just after it was compared', async () => {
    await round();
    ownDamages = 1;
    const { calls } = fake(SELF);
    await round(HOLDINGS_LEAST_MS - 1);
    assert.equal(fake(SELF).calls, calls);
    await round(1);
    assert.equal(fake(SELF).calls, calls + 1);
    await round(HOLDINGS_LEAST_MS);
    assert.equal(fake(SELF).calls, calls + 1, 'it is no news any more');
  });

  it('looks again at what seemed to be taken back', async () => {
    store(1, 2);
    fake(ANN).lost.add(chunkOf(1, 1));
    fake(BOB).withdrawn.add(chunkOf(1, 2));
    await holdings.now(signal);
    assert.equal(denials.of(ANN, chunkOf(1, 1)), 'withdrawn', 'one other is left, and one says so');
    fake(BOB).withdrawn.clear();
    await holdings.now(signal);
    assert.equal(denials.of(ANN, chunkOf(1, 1)), 'missing');
  });

  it('does not believe who is no member that an owner took something back', async () => {
    store(1, 2);
    fake(ANN).lost.add(chunkOf(1, 1));
    fake(BOB).withdrawn.add(chunkOf(1, 2));
    book.update([peerRecord(SELF), peerRecord(ANN), { ...peerRecord(BOB), state: 'removed' }]);
    await holdings.now(signal);
    assert.deepEqual([denials.of(ANN, chunkOf(1, 1)), fake(BOB).calls], ['missing', 0]);
  });

  it('takes a peer of whom not all denials could be remembered for one that was not compared', async (t) => {
    t.mock.method(denials, 'note', async () => new Set([ANN]));
    fake(ANN).lost.add(chunkOf(1, 1));
    await holdings.now(signal);
    assert.equal(denials.compared(ANN), undefined);
    assert.ok(denials.compared(BOB) !== undefined);
    const { calls } = fake(ANN);
    await round(60_000);
    assert.equal(fake(ANN).calls, calls, 'it rests');
  });
});
