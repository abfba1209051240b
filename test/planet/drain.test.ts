/** A peer that leaves: its chunks are moved first, whosever they are, then it is put out; or it is refused, or stays after all. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { NetworkClient } from '../../src/cli/network-client.js';
import { runProgram } from '../../src/cli/program.js';
import type { DrainReply } from '../../src/gateways/http/network-api.js';
import type { PeerRecord } from '../../src/peers/peer-record.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, put } from './files.js';
import { Planet } from './planet.js';

const MIB = 1024 * 1024;
const FILM = seededBytes('drained film', 5 * MIB);
const SONG = seededBytes('drained song', 40_000);

/** Files are stored at peers 1 to 6; 7 comes after them. Peer 1 has the authority's role, and with 2 the databases. */
describe('a peer that leaves', { timeout: 300_000 }, () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 7, backupHosts: 2 });
    await setState(7, 'draining');
    await put(planet, '/film', FILM);
    await put(planet, '/song', SONG);
  });
  after(() => planet[Symbol.asyncDispose]());

  async function setState(n: number, state: PeerRecord['state']): Promise<void> {
    await planet.engine.catalog.setPeerState(planet.id(n), state);
    for (const at of planet.numbers) {
      if (!planet.isUp(at)) continue;
      while (planet.peer(at).engine.book.get(planet.id(n))?.state !== state) await delay(20);
    }
  }

  async function ask<T>(question: (client: NetworkClient) => Promise<T>): Promise<T> {
    await using client = new NetworkClient(planet.home(1), NEVER);
    return await question(client);
  }

  function drain(n: number, choice: { readonly force?: boolean; readonly cancel?: boolean } = {}): Promise<DrainReply> {
    const { force = false, cancel = false } = choice;
    return ask((client) => client.drainPeer({ peer: `peer-${String(n)}`, force, cancel }));
  }

  async function shoal(args: readonly string[], signal = NEVER): Promise<{ out: string; err: string; error: unknown }> {
    const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
    stdin.end();
    const runtime = { signal, env: {}, stdin, stdout, stderr };
    const error: unknown = await runProgram([...args, '--home', planet.home(1)], runtime).catch(
      (reason: unknown) => reason,
    );
    stdout.end();
    stderr.end();
    return { error, out: await text(stdout), err: await text(stderr) };
  }

  /** Of all peers. */
  function total(name: 'chunks' | 'rebuiltChunks'): number {
    return planet.numbers.reduce((sum, n) => sum + planet.peer(n).engine.telemetry.counts.repair[name], 0);
  }

  async function chunksAt(n: number): Promise<number> {
    const placed = [...(await planet.chunksOf('/film')), ...(await planet.chunksOf('/song'))];
    return placed.filter(({ peer }) => peer === n).length;
  }

  async function holders(): Promise<Set<number>> {
    const placed = [...(await planet.chunksOf('/film')), ...(await planet.chunksOf('/song'))];
    return new Set(placed.map(({ peer }) => peer));
  }

  it('is refused, before anything moves, where its chunks have no other place or the network needs it', async () => {
    await assert.rejects(drain(5), {
      code: 'TOO_FEW_PEERS',
      message: /no other place.*--force.*any 1 more peer may fail/s,
    });
    await assert.rejects(drain(1), { code: 'CONFLICT', message: /does not see itself off/ });
    await planet.kill(3, 4);
    await assert.rejects(drain(5, { force: true }), { code: 'TOO_FEW_PEERS', message: /could not be read any more/ });
    await planet.start(3);
    await planet.start(4);
    assert.equal(planet.engine.book.get(planet.id(5))?.state, 'member');
    assert.ok((await holders()).has(5));
    await setState(7, 'member');
    const { capacityBytes } = planet.engine.book.get(planet.id(7)) ?? { capacityBytes: 0 };
    await ask7({ capacityBytes: 1 });
    await assert.rejects(drain(5), { code: 'NO_SPACE', message: /invite a new machine/ });
    await ask7({ capacityBytes });
    assert.ok((await holders()).has(5));
  });

  /** Peer 7 changes its own record. */
  async function ask7(changes: { readonly capacityBytes: number }): Promise<void> {
    await using client = new NetworkClient(planet.home(7), NEVER);
    await client.setOwn(changes);
    while (planet.engine.book.get(planet.id(7))?.capacityBytes !== changes.capacityBytes) await delay(20);
  }

  it('stays after all, with every chunk where its record says', async () => {
    const begun = await drain(6);
    assert.deepEqual([begun.phase, begun.peer.state, begun.staying.chunks], ['leaving', 'draining', 0]);
    assert.equal((await drain(6, { cancel: true })).phase, 'member');
    assert.equal((await ask((client) => client.drainOf('peer-6'))).phase, 'member');
    await assertPlaced();
  });

  /** Every chunk lies where its record says. */
  async function assertPlaced(): Promise<void> {
    for (const path of ['/film', '/song']) {
      for (const { id, peer } of await planet.chunksOf(path)) {
        assert.ok((await planet.peer(peer).store.has([id], { signal: NEVER })).has(id));
      }
    }
  }

  it('leaves with one command when everything that lay there lies elsewhere', async () => {
    const before = await holders();
    const leaving = [6, 5].find((n) => before.has(n)) ?? 5;
    const due = await chunksAt(leaving);
    const [given, rebuilt] = [total('chunks'), total('rebuiltChunks')];
    const name = `peer-${String(leaving)}`;
    // Somebody who stops watching does not stop the drain.
    const watching = new AbortController();
    const watched = shoal(['peer', 'drain', name], watching.signal);
    while ((await ask((client) => client.drainOf(name))).left === null) await delay(50);
    watching.abort(new Error('Ctrl-C'));
    const { err, error: ended } = await watched;
    assert.ok(ended instanceof Error);
    assert.match(err, /goes on leaving.*--cancel/s);
    const { out, error } = await shoal(['peer', 'drain', name, '--json']);
    assert.equal(error, undefined, out);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DrainReply);
    assert.deepEqual([lines.at(-1)?.phase, lines.at(-1)?.peer.state], ['left', 'removed']);
    assert.ok(lines.length > 1);
    assert.ok(lines.slice(0, -1).every(({ phase }) => phase === 'leaving'));
    assert.equal(await chunksAt(leaving), 0);
    assert.equal(total('chunks') - given, due, 'each chunk was given a new place once');
    assert.equal(total('rebuiltChunks'), rebuilt, 'copied, not rebuilt');
    await assertPlaced();
    await planet.kill(leaving, 3, 4);
    await assertStored(planet, '/film', FILM);
    await assertStored(planet, '/song', SONG);
    await planet.start(3);
    await planet.start(4);
  });

  it('leaves by force with chunks that have no other place, when k others of each are there', async () => {
    const held = await holders();
    const leaving = [6, 5].find((n) => planet.isUp(n) && held.has(n)) ?? 5;
    const name = `peer-${String(leaving)}`;
    await assert.rejects(drain(leaving), { code: 'TOO_FEW_PEERS', message: /--force/ });
    const { out, error } = await shoal(['peer', 'drain', name, '--force']);
    assert.equal(error, undefined, out);
    assert.match(out, /has left.*2 stripes are one chunk short/s);
    assert.equal(planet.engine.book.get(planet.id(leaving))?.state, 'removed');
    await planet.kill(leaving);
    await assertStored(planet, '/film', FILM);
  });
});
