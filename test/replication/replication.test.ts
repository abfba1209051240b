import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseUserId } from '../../src/chunk/ids.js';
import type { Document } from '../../src/documents/document-database.js';
import { stripesSelector } from '../../src/documents/replication/stripes-selector.js';
import { change, type RealCouch, realCouch, Stage, type TestSide, until, USER } from './stage.js';

const CATALOG = `user-${USER}-1`;
const HASH = (digit: string): string => digit.repeat(64);
const stripe = (digit: string, owner: string): { _id: string } & Record<string, unknown> => ({
  _id: `stripe-${HASH(digit)}`,
  type: 'stripe',
  format: 1,
  owner,
});

function suite(real: RealCouch | undefined): void {
  it('brings what is written at one peer to another, both ways, while both run', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide(CATALOG);
    const [a, b] = [await stage.side(), await stage.side()];
    await a.put(CATALOG, [change(1), change(2)]);
    for (const side of [a, b]) side.replicate([host.record], CATALOG);
    await until('b has it', async () => (await b.count(CATALOG)) === 2);
    await b.put(CATALOG, [change(3)]);
    await until('a has it', async () => (await a.count(CATALOG)) === 3);
    await until('all is told', () => a.states.every(({ phase, pending }) => phase === 'waiting' && pending === 0));
    const push = a.states.find(({ direction }) => direction === 'push');
    assert.equal(push?.host, host.peer.id);
    assert.equal(push.refused, 0);
    assert.ok((push.lastSuccessMs ?? 0) > 0);
    assert.match(push.sequence, /^[1-9]/);
  });

  it('brings together what was written while both were alone, and after each was restarted', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide(CATALOG);
    const [a, b] = [await stage.side(), await stage.side()];
    for (const side of [a, b]) side.replicate([host.record], CATALOG);
    await a.put(CATALOG, [change(1)]);
    await until('b has it', async () => (await b.count(CATALOG)) === 1);
    await host.close();
    await a.put(CATALOG, [change(2)]);
    await b.put(CATALOG, [change(3)]);
    await until('the trouble shows', () => a.states.every(({ phase }) => phase === 'failing'));
    assert.ok(a.states.every(({ lastError }) => lastError?.code === 'UNAVAILABLE'));
    await a.close();
    await a.open();
    await host.open();
    a.replicate([host.record], CATALOG);
    b.replicator?.retryNow();
    await until('both have all', async () => (await a.count(CATALOG)) === 3 && (await b.count(CATALOG)) === 3);
    const again = a.states.find(({ direction }) => direction === 'pull');
    assert.equal(again?.written, 1, 'what was there was not copied again');
  });

  it('fills a host that lost everything, and a peer that did', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide(CATALOG);
    const a = await stage.side();
    a.replicate([host.record], CATALOG);
    await a.put(
      CATALOG,
      Array.from({ length: 30 }, (_, index) => change(index)),
    );
    await until('all is there', () => a.states.some(({ written }) => written === 30));
    await host.close();
    await host.wipe();
    await host.open();
    await host.provide(CATALOG);
    a.replicator?.retryNow();
    const b = await stage.side();
    b.replicate([host.record], CATALOG);
    await until('a new peer has all', async () => (await b.count(CATALOG)) === 30);
  });

  it('fills a host that lost everything while there was nothing to push', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide(CATALOG);
    const a = await stage.side();
    a.replicate([host.record], CATALOG);
    await a.put(
      CATALOG,
      Array.from({ length: 30 }, (_, index) => change(index)),
    );
    const push = () => a.states.find(({ direction }) => direction === 'push');
    await until('the push waits', () => push()?.phase === 'waiting' && push()?.written === 30);
    await host.close();
    await host.wipe();
    await host.open();
    await host.provide(CATALOG);
    await a.put(CATALOG, [change(30)]);
    await until('all is pushed again', () => push()?.written === 61 || push()?.written === 62);
    const b = await stage.side();
    b.replicate([host.record], CATALOG);
    await until('a new peer has all', async () => (await b.count(CATALOG)) === 31);
  });

  it('pushes to every host that it reaches', { skip: real && 'needs two of them' }, async () => {
    await using stage = await Stage.open(real);
    const hosts = [await stage.host(), await stage.host()];
    for (const host of hosts) await host.provide(CATALOG);
    const [first, second] = hosts;
    const a = await stage.side();
    a.replicate(
      hosts.map(({ record }) => record),
      CATALOG,
    );
    await first?.close();
    await a.put(CATALOG, [change(1)]);
    const b = await stage.side();
    b.replicate(second === undefined ? [] : [second.record], CATALOG);
    await until('b has it from the other host', async () => (await b.count(CATALOG)) === 1);
    await first?.open();
    a.replicator?.retryNow();
    await until(
      'the first has it too',
      () => a.states.filter(({ direction, written }) => direction === 'push' && written === 1).length === 2,
    );
  });

  it('pulls what concerns the peer, and pushes all', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide('stripes');
    const [a, b] = [await stage.side(), await stage.side()];
    const here = { ...stripe('3', HASH('a')), peers: [HASH('0'), b.peer.id] };
    await a.put('stripes', [stripe('1', HASH('a')), stripe('2', HASH('b')), here]);
    a.replicate([host.record], 'stripes');
    await until('all is pushed', () => a.states.some(({ written }) => written === 3));
    const selector = stripesSelector(b.peer.id, [parseUserId(HASH('b'))]);
    b.replicate([host.record], { name: 'stripes', selector });
    await until('b has its own', async () => (await b.count('stripes')) === 2);
    await until('and no more', () => b.states.every(({ phase }) => phase === 'waiting'));
    assert.deepEqual(await b.ids('stripes'), [`stripe-${HASH('2')}`, `stripe-${HASH('3')}`]);
    const { _id } = stripe('2', HASH('b'));
    await a.put('stripes', [{ _id, _deleted: true, forgotten: 'AAAA', owner: HASH('b'), peers: [] }]);
    await until('b forgets it too', async () => (await b.count('stripes')) === 1);
  });

  it('pulls a stripe with all its moves by the first move that names the peer, and none that was forgotten', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide('stripes');
    const [a, b] = [await stage.side(), await stage.side()];
    const move = (digit: string, hash: string, peers: readonly string[]): Document => ({
      ...{ _id: `move-${HASH(digit)}-${HASH(hash)}`, type: 'move', format: 1, owner: HASH('a'), peers },
    });
    const others = { peers: [HASH('0')] };
    const stripes = ['1', '2', '3'].map((digit) => ({ ...stripe(digit, HASH('a')), ...others }));
    await a.put('stripes', [...stripes, move('1', 'a', [HASH('0')]), move('2', 'a', [HASH('0')])]);
    await a.put('stripes', [{ ...stripe('3', HASH('a')), ...others, _deleted: true, forgotten: 'AAAA' }]);
    a.replicate([host.record], 'stripes');
    b.replicate([host.record], { name: 'stripes', selector: stripesSelector(b.peer.id, []) });
    await until('all is pushed', () => a.states.some(({ written }) => written === 5));
    await a.put('stripes', [move('1', 'b', [b.peer.id]), move('3', 'c', [b.peer.id])]);
    await until('b has its stripe', async () => (await b.count('stripes')) === 4);
    const ids = [`move-${HASH('1')}-${HASH('a')}`, `move-${HASH('1')}-${HASH('b')}`, `move-${HASH('3')}-${HASH('c')}`];
    assert.deepEqual(await b.ids('stripes'), [...ids, `stripe-${HASH('1')}`]);
    const { _id } = stripe('1', HASH('a'));
    assert.deepEqual(await b.leaves('stripes', _id), await a.leaves('stripes', _id), 'the same revision');
  });

  it('pulls a stripe by a move with what its owner has deleted of it on another branch', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide('stripes');
    const [a, b, c] = [await stage.side(), await stage.side(), await stage.side()];
    const kept = { ...stripe('1', HASH('a')), peers: [HASH('0')] };
    await a.put('stripes', [kept]);
    for (const side of [a, c]) side.replicate([host.record], 'stripes');
    await until('c has it', async () => (await c.count('stripes')) === 1);
    for (const side of [a, c]) side.replicate([], 'stripes');
    await a.put('stripes', [kept]);
    await c.put('stripes', [{ ...kept, _deleted: true, forgotten: 'AAAA' }]);
    for (const side of [a, c]) side.replicate([host.record], 'stripes');
    const leaves = async (side: TestSide): Promise<unknown[]> =>
      (await side.leaves('stripes', kept._id)).map(({ rev, deleted }) => ({ rev, deleted }));
    await until('the branches meet', async () => (await leaves(a)).length === 2 && (await leaves(c)).length === 2);
    b.replicate([host.record], { name: 'stripes', selector: stripesSelector(b.peer.id, []) });
    const move = { type: 'move', format: 1, owner: HASH('a'), peers: [b.peer.id] };
    await a.put('stripes', [{ _id: `move-${HASH('1')}-${HASH('a')}`, ...move }]);
    await until('b has its stripe', async () => (await b.count('stripes')) === 2);
    await until('and all of it', async () => (await leaves(b)).length === 2);
    assert.deepEqual(new Set(await leaves(b)), new Set(await leaves(a)));
  });

  it('tells what a host refuses, and goes on', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide('stripes');
    const a = await stage.side();
    await a.put('stripes', [
      { _id: 'note', type: 'note', format: 1 },
      stripe('1', HASH('a')),
      { ...stripe('2', HASH('a')), format: 0 },
    ]);
    a.replicate([host.record], 'stripes');
    await until('it is through', () =>
      a.states.some(({ written, refused, phase }) => written === 1 && refused === 2 && phase === 'waiting'),
    );
    const push = a.states.find(({ direction }) => direction === 'push');
    assert.match(push?.lastRefusal?.reason ?? '', /forbidden/);
  });

  it('says that a database is not there, not for this peer, or that the peer was removed; and comes by itself', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    const a = await stage.side();
    await a.put(CATALOG, [change(1)]);
    a.replicate([host.record], CATALOG);
    const codes = (): unknown[] => a.states.map(({ lastError }) => lastError?.code);
    const says = (code: string): Promise<void> => until(code, () => codes().every((each) => each === code));
    await says('NOT_FOUND');
    await host.databases.provide(CATALOG, { names: ['peer-other'], roles: [] });
    a.replicator?.retryNow();
    await says('PERMISSION_DENIED');
    stage.removed.add(a.peer.id);
    await host.provide(CATALOG);
    a.replicator?.retryNow();
    await until('it is refused', () =>
      a.states.every(({ lastError }) => /not a member|403/.test(lastError?.message ?? '')),
    );
    stage.removed.clear();
    a.replicator?.retryNow();
    await until('all is pushed', () => a.states.some(({ written }) => written === 1));
  });

  it('believes no other peer at the address of the host', async () => {
    await using stage = await Stage.open(real);
    const host = await stage.host();
    await host.provide(CATALOG);
    const a = await stage.side();
    const other = await stage.network.peer();
    a.replicate([{ ...host.record, id: other.id }], CATALOG);
    await until('it is noticed', () => a.states.every(({ lastError }) => lastError?.code === 'UNAUTHENTICATED'));
    a.replicate([], CATALOG);
    assert.deepEqual(a.states, []);
  });
}

describe('replication through the front of a backup host', () => suite(undefined));

const real = await realCouch();
describe('replication with a real CouchDB', real === undefined ? { skip: 'COUCHDB_URL is not set' } : {}, () =>
  suite(real),
);
