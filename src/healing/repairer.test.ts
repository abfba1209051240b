import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { StripeRecord } from '../catalog/catalog.js';
import type { Receipt } from '../chunk/chunk-store.js';
import { parseChunkId, parsePeerId, parseStripeId, parseUserId, type ChunkId, type PeerId } from '../chunk/ids.js';
import { RepairCount } from '../counts.js';
import { REBALANCE_SETTLE_MS, REPAIR_SETTLE_MS, SURVEY_INTERVAL_MS } from '../limits.js';
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
  /** Silent peers. */
  readonly down = new Set<PeerId>();

  constructor() {
    const candidates = this.book.targets().map(candidateOf);
    for (let n = 0; n < STRIPES; n++) {
      const id = parseStripeId(digest(`stripe ${String(n)}`));
      const chunks = Array.from({ length: K + M }, (_, index) =>
        parseChunkId(digest(`chunk ${String(n)} ${String(index)}`)),
      );
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
      stripeIds: async ({ after = '' }) =>
        [...this.records.values()]
          .map(({ id }) => id)
          .filter((id) => id > after)
          .sort(),
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
      this.#keep(to, chunk);
      this.pulled.push({ to, chunk, copied: source !== undefined });
      return { peer: to, body: new Uint8Array(), signature: new Uint8Array() };
    };
    return { self, catalog, book: this.book, links, pull };
  }

  #keep(holder: PeerId, chunk: ChunkId | undefined): void {
    const kept = this.held.get(holder) ?? new Set();
    if (chunk !== undefined) kept.add(chunk);
    this.held.set(holder, kept);
  }

  change(n: number, state: PeerRecord['state']): void {
    const others = this.book.list().filter(({ id }) => id !== peerOf(n));
    this.book.update([...others, peer(n, state)]);
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
