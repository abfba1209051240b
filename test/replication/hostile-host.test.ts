import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Document } from '../../src/documents/document-database.js';
import { MAX_BRANCHES } from '../../src/limits.js';
import { Replicator } from '../../src/documents/replication/replicator.js';
import type { StreamState } from '../../src/documents/replication/stream.js';
import type { HttpSend } from '../../src/http-call.js';
import { silentLogger } from '../../src/log.js';
import { HostileHost, parts, revision, type Served } from './hostile.js';
import { change, Stage, type TestSide, until, USER } from './stage.js';

const CATALOG = `user-${USER}-1`;
const HASH = (digit: string): string => digit.repeat(32);

describe('a hostile backup host', () => {
  let stage: Stage, side: TestSide, host: HostileHost, replicator: Replicator;

  beforeEach(async () => {
    stage = await Stage.open();
    side = await stage.side();
    host = new HostileHost();
    if (side.host === undefined) throw new Error('closed');
    replicator = new Replicator({
      self: side.peer.id,
      host: side.host,
      connect: () => ({ send: host.send, close: () => undefined }),
      logger: silentLogger(),
    });
  });
  afterEach(async () => {
    await replicator.close();
    await stage[Symbol.asyncDispose]();
  });

  const start = (name = CATALOG): void => {
    replicator.update({ hosts: [{ id: side.peer.id, address: 'host:1' }], databases: [{ name }] });
  };
  const pull = (): StreamState => {
    const state = replicator.status().find(({ direction }) => direction === 'pull');
    return state ?? assert.fail('no pull');
  };
  /** Once everything that was served is dealt with. */
  const settled = (): Promise<void> =>
    until('settled', () => pull().phase === 'waiting' && Number(pull().sequence) === host.served.length);
  const read = async (id: string, name = CATALOG): Promise<Document | undefined> => {
    await using database = await side.database(name);
    return await database.get(id);
  };
  const ancestor = async (id: string, name = CATALOG): Promise<string> => {
    await using database = await side.database(name);
    const [leaf] = await database.leaves(id);
    return leaf?.rev.split('-')[1] ?? '';
  };

  it('keeps nobody from another host by being slow', async () => {
    if (side.host === undefined) throw new Error('closed');
    const slow: HttpSend = async (call) => {
      if (!call.path.includes('/_revs_diff')) return host.send(call);
      await once(call.signal, 'abort');
      throw call.signal.reason;
    };
    const good = new HostileHost();
    const another = new Replicator({
      self: side.peer.id,
      host: side.host,
      connect: ({ address }) => ({ send: address === 'slow:1' ? slow : good.send, close: () => undefined }),
      logger: silentLogger(),
    });
    const names = [1, 2, 3].map((generation) => `user-${USER}-${String(generation)}`);
    for (const name of names) await side.put(name, [change(1)]);
    const databases = names.map((name) => ({ name }));
    const hosts = [{ id: side.peer.id, address: 'slow:1' }];
    another.update({ hosts, databases });
    await until(
      'the slow one is asked',
      () => another.status().filter(({ phase }) => phase === 'copying').length === 3,
    );
    another.update({ hosts: [...hosts, { id: side.peer.id, address: 'good:1' }], databases });
    await until('the good one has all', () => good.taken.length === 3);
    await another.close();
  });

  it('cannot delete a change, and what hides it is answered with the change itself', async () => {
    await side.put(CATALOG, [change(1)]);
    const { _id } = change(1);
    const known = await ancestor(_id);
    host.served = [revision({ _id }, [HASH('f'), known], { _deleted: true }), revision(change(2), [HASH('1')])];
    start();
    await settled();
    assert.equal(pull().refused, 1);
    assert.match(pull().lastRefusal?.reason ?? '', /never deleted/);
    assert.equal((await read(_id))?.['counter'], 1);
    assert.equal((await read(change(2)._id))?.['counter'], 2, 'the rest is not blocked');
    await until('it is pushed once more', () =>
      host.taken.some((document) => document._id === _id && String(document['_rev']).startsWith('2-')),
    );
  });

  it('makes nobody write a document again and again by burying it again and again', async () => {
    await side.put(CATALOG, [change(1)]);
    const { _id } = change(1);
    const first = await ancestor(_id);
    host.served = [revision({ _id }, [HASH('f'), first], { _deleted: true })];
    start();
    await settled();
    const again = (generation: number): Document | undefined =>
      host.taken.find((each) => each._id === _id && String(each['_rev']).startsWith(`${String(generation)}-`));
    await until('it is pushed once more', () => again(2) !== undefined);
    for (const digit of ['e', 'd', 'c']) {
      const second = await ancestor(_id);
      host.served = [...host.served, revision({ _id }, [HASH(digit), second, first], { _deleted: true })];
      replicator.update({ hosts: [], databases: [] });
      start();
      await settled();
    }
    assert.equal((await read(_id))?.['counter'], 1);
    await side.put(CATALOG, [change(2)]);
    await until('the push goes on', () => host.taken.some((each) => each._id === change(2)._id));
    assert.equal(again(3), undefined);
  });

  it('is asked ever less often when nothing that it brings is taken', async () => {
    const note = (index: number): Served => revision({ _id: `note-${String(index)}`, type: 'note' }, [HASH('1')]);
    const waits: number[] = [];
    let last = performance.now();
    host.answer = ({ path }) => {
      if (!path.includes('/_changes')) return undefined;
      waits.push(performance.now() - last);
      last = performance.now();
      // One at a time, each time another.
      const count = waits.length;
      host.served = Array.from({ length: count }, (_, index) => note(index));
      const { _id, _rev } = note(count - 1);
      return { results: [{ seq: count, id: _id, changes: [{ rev: _rev }] }], last_seq: count, pending: 1 };
    };
    start();
    await until('it waits', () => waits.length > 52);
    assert.ok(
      waits.slice(51).every((wait) => wait > 450),
      String(waits.slice(48)),
    );
  });

  it('adds no more than some branches to a record, and keeps the right one out with none', async () => {
    await replicator.close();
    if (side.host === undefined) throw new Error('closed');
    const counterOf = (document: Document): number => Number(document['counter'] ?? 0);
    replicator = new Replicator({
      self: side.peer.id,
      host: side.host,
      connect: () => ({ send: host.send, close: () => undefined }),
      latestIn: (name) =>
        name === 'network'
          ? (document, others) => others.every((other) => counterOf(other) < counterOf(document))
          : undefined,
      logger: silentLogger(),
    });
    const record = { _id: `user-${USER}`, type: 'user', format: 1 };
    const hash = (index: number): string => index.toString(16).padStart(32, '0');
    const forged = Array.from({ length: 40 }, (_, index) => revision({ ...record, forged: index }, [hash(index)]));
    host.served = forged;
    start('network');
    await settled();
    assert.equal(pull().refused, 8);
    const leaves = async (): Promise<Document[]> => {
      await using database = await side.database('network');
      return (await database.leaves(record._id)).filter(({ deleted }) => !deleted).map(({ document }) => document);
    };
    assert.equal((await leaves()).length, MAX_BRANCHES);
    const right = revision({ ...record, counter: 7 }, [hash(100)]);
    const follows = revision({ ...record, forged: -1 }, [hash(200), hash(3)]);
    const buried = revision({ _id: record._id }, [hash(300)], { _deleted: true });
    host.served = [...host.served, right, revision({ ...record, counter: 7 }, [hash(101)]), follows, buried];
    replicator.update({ hosts: [], databases: [] });
    start('network');
    await settled();
    const found = await leaves();
    assert.equal(found.filter(({ counter }) => counter === 7).length, 1, 'the right one, once');
    assert.equal(found.filter(({ forged }) => forged === -1).length, 1, 'what follows a branch adds none');
    assert.equal(found.length, MAX_BRANCHES + 1);
    assert.equal(pull().refused, 2);
  });

  it('cannot put another text of a higher generation over a change', async () => {
    await side.put(CATALOG, [change(1)]);
    const forged = change(1, { sealed: 'BBBB' });
    const alone = Array.from({ length: 40 }, (_, at) => String(at % 10).repeat(32));
    host.served = [revision(forged, alone), revision(forged, [HASH('f'), await ancestor(forged._id)])];
    start();
    await settled();
    assert.equal(pull().refused, 2);
    assert.equal((await read(forged._id))?.['sealed'], 'AAAA');
  });

  it('cannot take a record of the network away, or a stripe without an order', async () => {
    const record = { _id: `user-${USER}`, type: 'user', format: 1, signed: 'AAAA' };
    await side.put('network', [record]);
    host.served = [
      revision({ _id: record._id }, [HASH('f'), await ancestor(record._id, 'network')], { _deleted: true }),
    ];
    start('network');
    await settled();
    assert.equal(pull().refused, 1);
    assert.equal((await read(record._id, 'network'))?.['signed'], 'AAAA');
    const stripe = { _id: `stripe-${USER}`, type: 'stripe', format: 1, owner: USER };
    await side.put('stripes', [stripe]);
    const known = await ancestor(stripe._id, 'stripes');
    host.served = [revision({ _id: stripe._id }, [HASH('f'), known], { _deleted: true })];
    start('stripes');
    await settled();
    assert.equal(pull().refused, 1);
    assert.ok(await read(stripe._id, 'stripes'));
  });

  it('gets nowhere with documents of a wrong kind, size or depth; the others come through', async () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 20; depth++) deep = [deep];
    host.served = [
      revision({ _id: 'note', type: 'note' }, [HASH('1')]),
      revision({ ...change(2), type: 'extents' }, [HASH('1')]),
      revision(change(3, { user: 'cd'.repeat(32) }), [HASH('1')]),
      revision(change(4, { large: 'x'.repeat(100_000) }), [HASH('1')]),
      revision(change(5, { huge: 'x'.repeat(10_000_000) }), [HASH('1')]),
      revision(change(6, { deep }), [HASH('1')]),
      revision(change(7, { _attachments: { a: { data: '' } } }), [HASH('1')]),
      revision(change(8, { _unknown: 1 }), [HASH('1')]),
      revision(change(9), [HASH('1')]),
    ];
    start();
    await settled();
    assert.deepEqual(await side.ids(CATALOG), [change(9)._id]);
    assert.equal(pull().refused, 8);
  });

  it('gets nowhere with revisions and texts that a CouchDB would refuse with all that comes with them', async () => {
    const half = revision(change(4, { text: 'x\ud800' }), [HASH('1')]);
    host.served = [
      revision(change(1), ['A'.repeat(32)]),
      revision(change(2), ['g'.repeat(32)]),
      revision(change(3), ['abc']),
      half,
      revision(change(5), [HASH('1'), 'abc']),
      revision(change(6), [HASH('1')]),
    ];
    start();
    await settled();
    assert.deepEqual(await side.ids(CATALOG), [change(6)._id]);
    assert.equal(pull().refused, 2);
  });

  it('is given the rest, when it refuses a whole batch for one document', async () => {
    const documents = Array.from({ length: 20 }, (_, index) => change(index));
    await side.put(CATALOG, documents);
    const bad = change(13)._id;
    await replicator.close();
    const choosy: HttpSend = async (call) => {
      const isRefused = call.path.endsWith('_bulk_docs') && (call.body ?? '').includes(bad);
      return isRefused ? { status: 400, body: parts('{"error":"bad_request"}') } : host.send(call);
    };
    if (side.host === undefined) throw new Error('closed');
    const connect = (): { send: HttpSend; close: () => void } => ({ send: choosy, close: () => undefined });
    replicator = new Replicator({ self: side.peer.id, host: side.host, connect, logger: silentLogger() });
    start();
    await until('the push waits', () =>
      replicator.status().some(({ direction, phase }) => direction === 'push' && phase === 'waiting'),
    );
    const push = replicator.status().find(({ direction }) => direction === 'push');
    assert.deepEqual([push?.written, push?.refused, push?.lastRefusal?.id], [19, 1, bad]);
    assert.equal(new Set(host.taken.map(({ _id }) => _id)).size, 19);
  });

  it('gets nowhere with JSON nested 10,000 deep', async () => {
    const nested = `${'['.repeat(10_000)}1${']'.repeat(10_000)}`;
    host.served = [revision(change(1), [HASH('1')]), revision(change(2), [HASH('1')])];
    host.answer = ({ path, body }) => {
      if (!path.includes('_bulk_get') || !(body ?? '').includes(change(1)._id)) return undefined;
      return `{"results":[{"docs":[{"ok":${nested}}]}]}`;
    };
    start();
    await settled();
    assert.deepEqual(await side.ids(CATALOG), [change(2)._id]);
    assert.equal(pull().refused, 1);
  });

  it('is told so when it answers with what makes no sense, and is asked ever less often', async () => {
    const answers: readonly unknown[] = [
      'no JSON',
      { results: 7 },
      { results: [{ id: change(1)._id, changes: [{ rev: '../../x' }] }], last_seq: 1 },
      { results: [{ id: change(1)._id, changes: [{ rev: `1-${HASH('a')}` }] }], last_seq: { a: 1 } },
      // The same place for ever.
      { results: [{ id: change(1)._id, changes: [{ rev: `1-${HASH('a')}` }] }], last_seq: '0' },
      { results: [], last_seq: 'x'.repeat(100_000) },
      { results: Array.from({ length: 1000 }, () => ({ id: 'a', changes: [] })), last_seq: 1 },
    ];
    for (const answer of answers) {
      host.answer = ({ path }) => (path.includes('_changes') ? answer : undefined);
      const before = host.calls;
      start();
      await until(JSON.stringify(answer).slice(0, 60), () => pull().phase === 'failing');
      assert.equal(pull().lastError?.code, 'CORRUPT');
      assert.ok((pull().retryAtMs ?? 0) > Date.now());
      assert.ok(host.calls - before < 40);
      replicator.update({ hosts: [], databases: [] });
    }
    assert.equal(await side.count(CATALOG), 0);
  });

  it('is cut off when its feed does not end', async () => {
    host.answer = () => undefined;
    const endless: HttpSend = async (call) => {
      if (!call.path.includes('_changes')) return host.send(call);
      return { status: 200, body: endlessly('{"id":"x","changes":[]},') };
    };
    await replicator.close();
    if (side.host === undefined) throw new Error('closed');
    const connect = (): { send: HttpSend; close: () => void } => ({ send: endless, close: () => undefined });
    replicator = new Replicator({ self: side.peer.id, host: side.host, connect, logger: silentLogger() });
    start();
    await until('it is noticed', () => pull().phase === 'failing');
    assert.equal(pull().lastError?.code, 'LIMIT_EXCEEDED');
  });

  it('says that its disk is full, whoever words it', async () => {
    await side.put(CATALOG, [change(1)]);
    for (const problem of [
      { error: 'enospc', reason: 'no space left' },
      [{ id: change(1)._id, error: 'insufficient_storage' }],
    ]) {
      host.answer = ({ path }) => (path.endsWith('_bulk_docs') ? problem : undefined);
      const isList = Array.isArray(problem);
      const connect = (): { send: HttpSend; close: () => void } => ({
        send: async (call) => {
          const reply = await host.send(call);
          return call.path.endsWith('_bulk_docs') && !isList ? { ...reply, status: 500 } : reply;
        },
        close: () => undefined,
      });
      if (side.host === undefined) throw new Error('closed');
      const full = new Replicator({ self: side.peer.id, host: side.host, connect, logger: silentLogger() });
      full.update({ hosts: [{ id: side.peer.id, address: 'host:1' }], databases: [{ name: CATALOG }] });
      await until('it is noticed', () => full.status().some(({ lastError }) => lastError?.code === 'NO_SPACE'));
      const push = full.status().find(({ direction }) => direction === 'push');
      assert.match(push?.lastError?.message ?? '', /disk is full/);
      assert.equal(push?.written, 0);
      await full.close();
    }
  });
});

async function* endlessly(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from('{"results":[');
  for (;;) yield Buffer.from(text.repeat(1000));
}
