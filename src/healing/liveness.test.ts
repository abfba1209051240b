import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { LIVENESS_INTERVAL_MS } from '../limits.js';
import { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { openPeerState } from '../store/peer-state.js';
import type { Database } from '../store/sqlite.js';
import { Liveness } from './liveness.js';

const { signal } = new AbortController();
const [SELF, ANN, BOB] = [1, 2, 3].map((n) => parsePeerId(new Uint8Array(32).fill(n))) as [PeerId, PeerId, PeerId];
const HOUR_MS = 60 * LIVENESS_INTERVAL_MS;

function record(id: PeerId, state: PeerRecord['state'] = 'member'): PeerRecord {
  const about = { name: id.slice(0, 2), zone: '', address: '', capacityBytes: 1, backup: false };
  return { id, ...about, certificate: new Uint8Array(), state };
}

describe('Liveness', () => {
  let folder: string;
  let state: Database;
  let nowMs: number;
  let up: Set<PeerId>;
  let book: PeerBook;
  let pings: PeerId[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-liveness-'));
    state = await openPeerState(folder);
    nowMs = 1_700_000_000_000;
    up = new Set([ANN, BOB]);
    book = new PeerBook([record(SELF), record(ANN), record(BOB)], () => nowMs);
    pings = [];
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });

  function open(graceMs = HOUR_MS): Liveness {
    const links = {
      ping: async (id: PeerId) => {
        pings.push(id);
        if (!up.has(id)) return undefined;
        book.reportSuccess(id);
        return 1;
      },
    };
    return Liveness.open({ self: SELF, book, links, state, graceMs, clock: () => nowMs });
  }

  async function minutes(liveness: Liveness, amount: number): Promise<void> {
    for (let i = 0; i < amount; i++) {
      nowMs += LIVENESS_INTERVAL_MS;
      await liveness.round(signal);
    }
  }

  it('a peer is gone when it was silent for the grace period, and back with its first answer', async () => {
    const liveness = open();
    await minutes(liveness, 2);
    const answeredMs = nowMs;
    assert.deepEqual(liveness.answers(BOB), { answeredMs, silentMs: 0 });
    up.delete(BOB);
    await minutes(liveness, 59);
    assert.ok(!liveness.isGone(BOB));
    await minutes(liveness, 1);
    assert.ok(liveness.isGone(BOB));
    assert.ok(!liveness.isGone(ANN));
    assert.deepEqual(liveness.answers(BOB), { answeredMs, silentMs: HOUR_MS });
    book.reportCorrupt(BOB);
    await minutes(liveness, 1);
    assert.ok(!liveness.isGone(BOB), 'a lie is a sign of life');
  });

  it('counts nothing while nobody answers: then it is this peer that is cut off', async () => {
    const liveness = open();
    up.clear();
    await minutes(liveness, 600);
    assert.ok(!liveness.isGone(BOB) && !liveness.isGone(ANN));
  });

  it('counts nothing while this peer is off or asleep, and remembers what it had counted', async () => {
    const before = open();
    up.delete(BOB);
    await minutes(before, 30);
    nowMs += 100 * HOUR_MS;
    const after = open();
    assert.equal(after.answers(BOB).silentMs, HOUR_MS / 2);
    nowMs += 100 * HOUR_MS;
    await after.round(signal);
    assert.ok(!after.isGone(BOB), 'asleep, or the clock was turned');
    nowMs -= 1000 * HOUR_MS;
    await after.round(signal);
    await minutes(after, 28);
    assert.ok(after.isGone(BOB));
  });

  it('calls nobody gone that answers, with a grace period of 0 either, and nobody soon with a huge one', async () => {
    const strict = open(0);
    assert.ok(!strict.isGone(ANN), 'nobody was asked yet');
    await minutes(strict, 1);
    assert.ok(!strict.isGone(ANN));
    up.delete(ANN);
    await minutes(strict, 1);
    assert.ok(strict.isGone(ANN) && !strict.isGone(BOB));
    const patient = open(365 * 24 * HOUR_MS);
    await minutes(patient, 600);
    assert.ok(!patient.isGone(ANN));
  });

  it('asks only those that were not heard of, and forgets who is no member', async () => {
    const liveness = open();
    book.reportSuccess(ANN, { bytes: 1, ms: 1 });
    await minutes(liveness, 1);
    assert.deepEqual(pings, [BOB]);
    book.update([record(SELF), record(ANN), record(BOB, 'removed')]);
    await minutes(liveness, 1);
    assert.deepEqual(pings, [BOB, ANN]);
    assert.equal(liveness.answers(BOB).answeredMs, undefined);
    assert.equal(open().answers(BOB).answeredMs, undefined, 'on the disk, too');
  });
});
