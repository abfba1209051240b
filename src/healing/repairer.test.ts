import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { StripeRecord } from '../catalog/catalog.js';
import type { Receipt } from '../chunk/chunk-store.js';
import { parseChunkId, parsePeerId, parseStripeId, parseUserId, type ChunkId, type PeerId } from '../chunk/ids.js';
import { makeReceipt } from '../chunk/receipt.js';
import { RepairCount } from '../counts.js';
import { StorageError } from '../errors.js';
import {
  DEPARTURE_TAKEOVER_MS,
  MAX_REPAIR_QUEUE,
  REBALANCE_SETTLE_MS,
  REPAIR_SETTLE_MS,
  REPAIR_TAKEOVER_MS,
  SURPLUS_AGE_MS,
  SURVEY_INTERVAL_MS,
} from '../limits.js';
import { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { candidateOf, place } from '../peers/placement.js';
import { PeerView } from './assessment.js';
import { displacedChunk } from './rebalance.js';
import type { RepairNetwork } from './repair-stripe.js';
import { Repairer, type RepairerOptions } from './repairer.js';

const { signal } = new AbortController();
const PEERS = 20;
const STRIPES = 60;
const [K, M] = [4, 2];
const CHUNK_BYTES = 1000;
const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const peerOf = (n: number): PeerId => parsePeerId(digest(`peer ${String(n)}`));

function peer(n: number, state: PeerRecord['state'] = 'member'): PeerRecord {
  const about = { name: `peer-${String(n)}`, zone: `zone-${String(n % 10)}`, address: '', backup: false };
  return { id: peerOf(n), ...about, capacityBytes: 1000, certificate: new Uint8Array(), state };
}

function chunkOf(stripe: number, index: number): ChunkId {
  return parseChunkId(digest(`chunk ${String(stripe)} ${String(index)}`));
}

function numberOf(id: PeerId): number {
  return Array.from({ length: PEERS }, (_, n) => peerOf(n)).indexOf(id);
}

/** A peer without a chunk of the stripe. */
function spare({ placement }: StripeRecord): PeerId {
  const holders = new Set(placement.map((held) => held?.peer));
  const found = Array.from({ length: PEERS }, (_, n) => peerOf(n)).find((id) => !holders.has(id));
  assert.ok(found !== undefined);
  return found;
}

interface Pulled {
  readonly to: PeerId;
  readonly chunk: ChunkId;
  readonly copied: boolean;
}

/** Twenty peers that exist only as sets of chunk ids, with the records of sixty stripes of six chunks. */
class LightNetwork {
  nowMs = 1_700_000_000_000;
  readonly book = new PeerBook(
    Array.from({ length: PEERS }, (_, n) => peer(n)),
    () => this.nowMs,
  );
  readonly held = new Map<PeerId, Set<ChunkId>>();
  readonly records = new Map<string, StripeRecord>();
  readonly pulled: Pulled[] = [];
  /** Begun. */
  surveys = 0;
  /** How far the clocks of those that take chunks are ahead. */
  aheadMs = 0;
  /** Silent peers. */
  readonly down = new Set<PeerId>();
  /** Peers without room, and how often they were asked all the same. */
  readonly full = new Map<PeerId, number>();

  constructor() {
    const candidates = this.book.targets().map(candidateOf);
    for (let n = 0; n < STRIPES; n++) {
      const id = parseStripeId(digest(`stripe ${String(n)}`));
      const chunks = Array.from({ length: K + M }, (_, index) => chunkOf(n, index));
      const placement = place(id, candidates)
        .slice(0, K + M)
        .map((holder) => ({ peer: holder }));
      const owner = parseUserId(digest('owner'));
      const shape = { k: K, m: M, bytes: K * CHUNK_BYTES, chunkBytes: CHUNK_BYTES };
      this.records.set(id, { id, owner, ...shape, chunks, placement, label: new Uint8Array() });
      for (const [index, { peer: holder }] of placement.entries()) this.#keep(holder, chunks[index]);
    }
  }

  /** Each peer repairs; all know every record. */
  repairer(self: PeerId, bytesPerSecond = 1e9): Repairer {
    const found = { isFaulty: () => false, faults: () => [], denials: { published: 0 } };
    const audits = { ...found, settle: async () => undefined };
    const view = new PeerView(this.book, { isGone: (id) => this.down.has(id) }, audits);
    const options = { isPinned: () => false, isBusy: () => false, clock: () => this.nowMs, counts: new RepairCount() };
    return new Repairer({ network: this.#network(self), view, audits, bytesPerSecond, ...options });
  }

  #network(self: PeerId): RepairNetwork {
    const links = {
      store: (id: PeerId) => ({
        has: async (ids: readonly ChunkId[]) => {
          if (this.down.has(id)) throw new Error('silent');
          return new Set(ids.filter((chunk) => this.held.get(id)?.has(chunk) === true));
        },
      }),
    } as unknown as RepairNetwork['links'];
    const catalog = {
      stripes: async (ids: readonly string[]) => ids.map((id) => this.records.get(id)),
      stripeIds: async ({ after = '' }) => {
        if (after === '') this.surveys++;
        return [...this.records.values()]
          .map(({ id }) => id)
          .filter((id) => id > after)
          .sort();
      },
      moveChunks: async (
        moves: readonly { readonly stripe: string; readonly chunk: ChunkId; readonly receipt: Receipt }[],
      ) => {
        for (const { stripe, chunk, receipt } of moves) {
          const record = this.records.get(stripe);
          assert.ok(record !== undefined);
          const placement = [...record.placement];
          placement[record.chunks.indexOf(chunk)] = { peer: receipt.peer, receipt };
          this.records.set(stripe, { ...record, placement });
        }
      },
    };
    const pull: RepairNetwork['pull'] = async (to, { chunk, source }) => {
      if (source !== undefined) assert.ok(this.held.get(source)?.has(chunk) === true);
      const asked = this.full.get(to);
      if (asked !== undefined) {
        this.full.set(to, asked + 1);
        throw new StorageError('NO_SPACE', 'It is full.');
      }
      this.#keep(to, chunk);
      this.pulled.push({ to, chunk, copied: source !== undefined });
      const promised = { peer: to, chunk, owner: parseUserId(digest('owner')), bytes: CHUNK_BYTES };
      return makeReceipt({ ...promised, storedMs: this.nowMs + this.aheadMs }, () => new Uint8Array());
    };
    return { self, catalog, book: this.book, links, pull };
  }

  #keep(holder: PeerId, chunk: ChunkId | undefined): void {
    const kept = this.held.get(holder) ?? new Set();
    if (chunk !== undefined) kept.add(chunk);
    this.held.set(holder, kept);
  }

  change(n: number, state: PeerRecord['state'], capacityBytes = 1000): void {
    const others = this.book.list().filter(({ id }) => id !== peerOf(n));
    this.book.update([...others, { ...peer(n, state), capacityBytes }]);
  }
}

async function everybody(network: LightNetwork, repairers: readonly Repairer[], times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (const repairer of repairers) await repairer.round(signal);
    network.nowMs += SURVEY_INTERVAL_MS;
  }
}

function all(network: LightNetwork, bytesPerSecond?: RepairerOptions['bytesPerSecond']): Repairer[] {
  return Array.from({ length: PEERS }, (_, n) => network.repairer(peerOf(n), bytesPerSecond));
}

describe('a repairer among twenty peers', () => {
  it('looks once for repairs and departures that begin at the same time', async () => {
    const network = new LightNetwork();
    network.change(0, 'draining');
    const repairer = network.repairer(peerOf(1));
    await Promise.all([repairer.round(signal), repairer.departures(signal)]);
    assert.equal(network.surveys, 1);
  });

  it('gives a peer that joins its share, each chunk once, after the members have been the same for long', async () => {
    const network = new LightNetwork();
    const repairers = all(network);
    await everybody(network, repairers, 2);
    assert.equal(network.pulled.length, 0, 'all lies where it belongs');
    network.change(PEERS, 'member');
    const candidates = network.book.targets().map(candidateOf);
    const due = [...network.records.values()].filter(
      (record) => displacedChunk(record, candidates) !== undefined,
    ).length;
    assert.ok(due > 0);
    await everybody(network, repairers);
    assert.equal(network.pulled.length, 0, 'not at once');
    network.nowMs += REBALANCE_SETTLE_MS;
    await everybody(network, repairers);
    assert.equal(network.pulled.length, due);
    assert.ok(network.pulled.every(({ to, copied }) => copied && to === peerOf(PEERS)));
    await everybody(network, repairers, 3);
    assert.equal(network.pulled.length, due, 'nothing goes on moving');
  });

  it('moves no chunk twice within a day, whatever peers think of each other meanwhile', async () => {
    const network = new LightNetwork();
    const repairers = all(network);
    network.change(PEERS, 'member');
    await everybody(network, repairers);
    network.nowMs += REBALANCE_SETTLE_MS;
    await everybody(network, repairers);
    const moved = network.pulled.length;
    assert.ok(moved > 0);
    network.change(PEERS, 'member', 10);
    await everybody(network, repairers);
    network.nowMs += REBALANCE_SETTLE_MS;
    await everybody(network, repairers, 2);
    assert.equal(network.pulled.length, moved, 'it has just come there');
    network.nowMs += SURPLUS_AGE_MS;
    await everybody(network, repairers, 2);
    assert.ok(network.pulled.length > moved);
  });

  it('moves on what was signed for by a clock far ahead', async () => {
    const network = new LightNetwork();
    network.aheadMs = 100 * SURPLUS_AGE_MS;
    const repairers = all(network);
    network.change(PEERS, 'member');
    await everybody(network, repairers);
    network.nowMs += REBALANCE_SETTLE_MS;
    await everybody(network, repairers);
    const moved = network.pulled.length;
    network.change(PEERS, 'member', 10);
    await everybody(network, repairers);
    network.nowMs += SURPLUS_AGE_MS;
    await everybody(network, repairers, 2);
    assert.ok(network.pulled.length > moved);
  });

  it('asks a peer without room once, and not for each chunk that belongs there', async () => {
    const network = new LightNetwork();
    const repairer = network.repairer(peerOf(0));
    network.change(PEERS, 'member');
    network.full.set(peerOf(PEERS), 0);
    await repairer.round(signal);
    network.nowMs += REBALANCE_SETTLE_MS;
    await repairer.round(signal);
    const asked = network.full.get(peerOf(PEERS)) ?? 0;
    // By then it is its turn for every stripe.
    network.nowMs += (K + M) * REPAIR_TAKEOVER_MS;
    await repairer.round(signal);
    assert.equal((network.full.get(peerOf(PEERS)) ?? 0) - asked, 1);
    assert.equal(network.pulled.length, 0);
  });

  it('copies what lies at a peer that leaves, where too few chunks are left to rebuild one', async () => {
    const network = new LightNetwork();
    const repairers = all(network, 0);
    network.change(4, 'draining');
    const leaving = [...network.records.values()].filter(({ placement }) =>
      placement.some((held) => held?.peer === peerOf(4)),
    );
    assert.ok(leaving.length > 0);
    for (const { chunks, placement } of leaving) {
      const others = placement.flatMap((held, at) =>
        held === undefined || held.peer === peerOf(4) ? [] : { held, at },
      );
      for (const { held, at } of others.slice(0, M + 1))
        network.held.get(held.peer)?.delete(chunks[at] ?? chunkOf(0, 0));
    }
    for (const repairer of repairers) await repairer.departures(signal);
    for (const { id } of leaving) {
      const placement = network.records.get(id)?.placement ?? [];
      assert.ok(!placement.some((held) => held?.peer === peerOf(4)));
    }
    assert.equal(network.pulled.length, leaving.length);
    assert.ok(network.pulled.every(({ copied }) => copied));
  });

  it('moves what leaves, however many stripes lack something meanwhile', async () => {
    const network = new LightNetwork();
    const repairer = network.repairer(peerOf(0), 0);
    const [whole] = network.records.values();
    const [lost, leaving] = whole?.placement ?? [];
    assert.ok(whole !== undefined && lost !== undefined && leaving !== undefined);
    network.records.clear();
    for (let n = 0; n <= MAX_REPAIR_QUEUE; n++) {
      const id = parseStripeId(digest(`another stripe ${String(n)}`));
      const placement = whole.placement.map((held, at) => (at < 2 ? lost : held));
      network.records.set(id, { ...whole, id, placement });
    }
    const kept = { ...whole, placement: whole.placement.map((held, at) => (at === 0 ? { peer: spare(whole) } : held)) };
    network.records.set(whole.id, kept);
    network.change(numberOf(lost.peer), 'removed');
    network.change(numberOf(leaving.peer), 'draining');
    await repairer.departures(signal);
    network.nowMs += (K + M) * DEPARTURE_TAKEOVER_MS;
    await repairer.departures(signal);
    assert.ok(network.pulled.length > 0);
    assert.notEqual(network.records.get(whole.id)?.placement[1]?.peer, leaving.peer);
  });

  it('moves nothing of a stripe that is not whole, though its record says that it is', async () => {
    const network = new LightNetwork();
    const repairers = all(network);
    network.change(PEERS, 'member');
    await everybody(network, repairers);
    // Behind the records: a chunk of every stripe is lost at somebody who says so when it is asked.
    const lost = new Set<ChunkId>();
    for (const { chunks, placement } of network.records.values()) {
      const [chunk] = chunks;
      const holder = placement[0]?.peer;
      if (chunk === undefined || holder === undefined) continue;
      network.held.get(holder)?.delete(chunk);
      lost.add(chunk);
    }
    network.nowMs += REBALANCE_SETTLE_MS;
    await everybody(network, repairers, 2);
    assert.equal(network.pulled.length, 0);
  });

  it('does nothing in the background with a rate of 0, but for what leaves', async () => {
    const network = new LightNetwork();
    const repairers = all(network, 0);
    network.change(PEERS, 'member');
    network.change(3, 'removed');
    await everybody(network, repairers, 3);
    assert.equal(network.pulled.length, 0);
    network.change(4, 'draining');
    for (const repairer of repairers) await repairer.departures(signal);
    assert.notEqual(network.pulled.length, 0);
    for (const { placement } of network.records.values()) {
      assert.ok(!placement.some((held) => held?.peer === peerOf(4)), 'nothing is left there');
    }
  });

  it('counts on nothing that a record places at a removed peer, and gives it nothing', async () => {
    const network = new LightNetwork();
    const repairers = all(network).filter((_, n) => n !== 3);
    network.change(3, 'removed');
    await everybody(network, repairers);
    network.nowMs += REPAIR_SETTLE_MS;
    await everybody(network, repairers);
    assert.ok(network.pulled.length > 0);
    assert.ok(
      network.pulled.every(({ to, copied }) => to !== peerOf(3) && !copied),
      'rebuilt, on others',
    );
    for (const { placement } of network.records.values()) {
      const holders = placement.map((held) => held?.peer);
      assert.ok(!holders.includes(peerOf(3)));
      assert.equal(new Set(holders).size, K + M);
    }
  });
});
