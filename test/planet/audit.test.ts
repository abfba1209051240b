/** Audits and liveness: peers that are gone, that lost a chunk behind their own back, that lie, that stall. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DISTRUST_AFTER_FAULTS, DISTRUST_AFTER_STALLS, TRUST_AFTER_PASSES } from '../../src/limits.js';
import type { AuditOutcome, AuditQuestion, AuditResult } from '../../src/healing/audit-book.js';
import { ask, askAgain, type AuditNetwork } from '../../src/healing/audit.js';
import { Auditor } from '../../src/healing/auditor.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { deleteFile, lie } from './damage.js';
import { assertStored, put, remove } from './files.js';
import { Planet } from './planet.js';

const MIB = 1024 * 1024;
const FILM = seededBytes('audited', 3 * MIB);

describe('audits in a network of six peers', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open();
    await put(planet, '/film', FILM);
  });
  after(() => planet[Symbol.asyncDispose]());

  function network(auditTimeoutMs = 5_000): AuditNetwork {
    const { self, catalog, book, links } = planet.engine;
    return { self, catalog, book, links, auditTimeoutMs };
  }

  async function question(n: number, path = '/film'): Promise<AuditQuestion> {
    const placed = (await planet.chunksOf(path)).find(({ peer }) => peer === n);
    assert.ok(placed !== undefined, `peer ${String(n)} holds a chunk`);
    return { peer: planet.id(n), stripe: placed.stripe.id, chunk: placed.id, segment: 1 };
  }

  function auditor(): Auditor {
    const { healing } = planet.peer(1);
    return new Auditor({ network: network(), book: healing.audits, perHour: 60, clock: Date.now, quickLookMs: 0 });
  }

  async function settle(n: number, outcome: AuditOutcome, times = 1, path = '/film'): Promise<void> {
    const { audits } = planet.peer(1).healing;
    for (let i = 0; i < times; i++) await audits.add({ ...(await question(n, path)), outcome, atMs: Date.now() });
  }

  it('finds every peer sound that is, whoever asks', async () => {
    const results: AuditResult[] = [];
    for await (const result of auditor().now(12, NEVER)) results.push(result);
    assert.equal(results.length, 12);
    assert.ok(
      results.every(({ outcome, peer }) => outcome === 'passed' && peer !== planet.id(1)),
      'none was asked of the auditor itself',
    );
    const { audits } = planet.peer(1).healing;
    assert.deepEqual(audits.newest(3), results.slice(-3).reverse());
    assert.equal(audits.distrusted().size, 0);
  });

  it('asks nobody in the background with a rate of 0, and whom it is told to all the same', async () => {
    const { healing } = planet.peer(1);
    const quiet = new Auditor({
      network: network(),
      book: healing.audits,
      perHour: 0,
      clock: Date.now,
      quickLookMs: 0,
    });
    const before = healing.audits.newest(1_000).length;
    await quiet.round(NEVER);
    assert.equal(healing.audits.newest(1_000).length, before);
    assert.ok(Number.isFinite(quiet.pauseMs) && quiet.pauseMs > 0);
    for await (const { outcome } of quiet.now(1, NEVER)) assert.equal(outcome, 'passed');
    assert.equal(healing.audits.newest(1_000).length, before + 1);
  });

  it('finds a peer that lost a chunk file behind its back, and one that sends wrong bytes', async () => {
    const lost = await question(3);
    await deleteFile({ home: planet.home(3), id: lost.chunk });
    assert.equal(await ask(lost, network(), NEVER), 'corrupt');
    const sound = lie(planet.peer(4).store, { bytes: (segment) => Uint8Array.from(segment.bytes, (byte) => byte ^ 1) });
    assert.equal(await ask(await question(4), network(), NEVER), 'corrupt');
    sound();
    const honest = lie(planet.peer(4).store, { hashes: (hashes) => hashes.map((byte) => byte ^ 1) });
    assert.equal(await ask(await question(4), network(), NEVER), 'corrupt');
    honest();
    assert.equal(await ask(await question(4), network(), NEVER), 'passed');
    await assertStored(planet, '/film', FILM);
  });

  it('says that a chunk is missing only while its owner has not taken the file back', async () => {
    await put(planet, '/short', seededBytes('short', MIB));
    const asked = await question(5, '/short');
    const { owner } = (await planet.engine.catalog.stripes([asked.stripe]))[0] ?? {};
    assert.ok(owner !== undefined);
    await planet.peer(5).store.delete(owner, [asked.chunk], { signal: NEVER });
    assert.equal(await ask(asked, network(), NEVER), 'missing');
    assert.equal(await askAgain(asked, network(), NEVER), 'missing');
    // The others delete theirs, too, and the record has not been forgotten here yet.
    for (const { id, peer } of await planet.chunksOf('/short')) {
      await planet.peer(peer).store.delete(owner, [id], { signal: NEVER });
    }
    assert.equal(await askAgain(asked, network(), NEVER), undefined);
    await remove(planet, '/short');
    assert.equal(await askAgain(asked, network(), NEVER), undefined);
  });

  it('distrusts who fails with several chunks: no new ones for it, and asked last; until it has passed often enough', async () => {
    const { engine } = planet;
    await put(planet, '/other', seededBytes('other', 2 * MIB));
    const peer = planet.id(6);
    await settle(6, 'corrupt', DISTRUST_AFTER_FAULTS);
    assert.ok(engine.book.isTrusted(peer), 'one chunk, however often, is not several');
    await settle(6, 'missing', 1, '/other');
    assert.ok(!engine.book.isTrusted(peer));
    assert.equal(engine.book.pace(peer), Number.POSITIVE_INFINITY);
    const { k, m } = await put(planet, '/without', seededBytes('without', MIB)).then(async () => {
      const [placed] = await planet.chunksOf('/without');
      assert.ok(placed !== undefined);
      return placed.stripe;
    });
    assert.deepEqual([k, m], [4, 2], 'as for six: the sixth chunk waits for repair');
    assert.ok(!(await planet.chunksOf('/without')).some((placed) => placed.peer === 6));
    await planet.restart(1);
    assert.ok(!planet.engine.book.isTrusted(peer), 'also after a restart');
    await settle(6, 'passed', TRUST_AFTER_PASSES - 1);
    assert.ok(!planet.engine.book.isTrusted(peer));
    await settle(6, 'passed');
    assert.ok(planet.engine.book.isTrusted(peer));
    assert.equal(planet.peer(1).healing.audits.distrusted().size, 0);
  });

  it('counts a peer that answers, but not this, as stalling; one that answers nobody is only unreachable', async () => {
    const { store } = planet.peer(2);
    const honest = store.get.bind(store);
    const released = new AbortController();
    store.get = (id, options) =>
      new Promise((_resolve, reject) => {
        released.signal.addEventListener('abort', () => {
          honest(id, options).catch(reject);
          reject(new Error('released'));
        });
      });
    assert.equal(await ask(await question(2), network(200), NEVER), 'stalled');
    released.abort();
    store.get = honest;
    await settle(2, 'stalled', DISTRUST_AFTER_STALLS);
    assert.ok(!planet.engine.book.isTrusted(planet.id(2)));
    await settle(2, 'passed', TRUST_AFTER_PASSES);
    const asked = await question(2);
    await planet.kill(2);
    assert.equal(await ask(asked, network(), NEVER), 'unreachable');
    await planet.start(2);
    await settle(2, 'unreachable', 20);
    assert.ok(planet.engine.book.isTrusted(planet.id(2)), 'who is down has not lied');
  });
});
