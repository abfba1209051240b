import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../../src/errors.js';
import type { Document } from '../../src/documents/document-database.js';
import { Replicator } from '../../src/documents/replication/replicator.js';
import type { StreamState } from '../../src/documents/replication/stream.js';
import { httpCall, type HttpCall, type HttpSend } from '../../src/http-call.js';
import { silentLogger } from '../../src/log.js';
import { change, Stage, type TestSide, until, USER } from './stage.js';

const CATALOG = `user-${USER}-1`;
const HASH = (digit: string): string => digit.repeat(32);

interface Served extends Document {
  readonly _rev: string;
  readonly _deleted?: boolean;
  readonly _revisions: { readonly start: number; readonly ids: readonly string[] };
}

function revision(document: Document, ids: readonly string[], more: object = {}): Served {
  const start = ids.length;
  return { ...document, ...more, _rev: `${String(start)}-${ids[0] ?? ''}`, _revisions: { start, ids } };
}

/** A host that serves what it likes, and takes everything. */
class HostileHost {
  served: readonly Served[] = [];
  taken: Document[] = [];
  /** Changes single answers. */
  answer: ((call: HttpCall) => unknown) | undefined;
  calls = 0;
  readonly #locals = new Map<string, unknown>();

  readonly send: HttpSend = async (call) => {
    this.calls++;
    const value = this.answer?.(call) ?? (await this.#reply(call));
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { status: value === NOT_FOUND ? 404 : 200, body: parts(text) };
  };

  async #reply({ method, path, body, signal }: HttpCall): Promise<unknown> {
    const route = path.replace(/^\/[^/?]*/, '');
    if (route.startsWith('/_changes')) return this.#feed(new URLSearchParams(route.split('?')[1]), signal);
    if (route.startsWith('/_local/')) {
      if (method === 'PUT') this.#locals.set(route, JSON.parse(body ?? ''));
      return this.#locals.get(route) ?? NOT_FOUND;
    }
    if (route === '/_revs_diff') return withMissing(JSON.parse(body ?? '') as Record<string, string[]>);
    if (route.startsWith('/_bulk_get')) return this.#get(body ?? '');
    if (route === '/_bulk_docs') this.taken.push(...(JSON.parse(body ?? '') as { docs: Document[] }).docs);
    return [];
  }

  async #feed(query: URLSearchParams, signal: AbortSignal): Promise<unknown> {
    const since = Number(query.get('since'));
    if (since >= this.served.length && query.get('feed') === 'longpoll')
      await once(signal, 'abort').catch(() => undefined);
    const rows = this.served
      .slice(since)
      .map(({ _id, _rev }, at) => ({ seq: since + at + 1, id: _id, changes: [{ rev: _rev }] }));
    return { results: rows, last_seq: this.served.length, pending: 0 };
  }

  #get(body: string): unknown {
    const { docs } = JSON.parse(body) as { docs: { id: string; rev: string }[] };
    const results = docs.map(({ id, rev }) => ({
      id,
      docs: this.served.filter((each) => each._id === id && each._rev === rev).map((ok) => ({ ok })),
    }));
    return { results };
  }
}

const NOT_FOUND = { error: 'not_found', reason: 'missing' };

function withMissing(asked: Record<string, string[]>): unknown {
  return Object.fromEntries(Object.entries(asked).map(([id, missing]) => [id, { missing }]));
}

async function* parts(text: string): AsyncIterable<Uint8Array> {
  for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
}

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

describe('a host that is slow', () => {
  let server: Server;
  const ask = async (idleTimeoutMs: number, body?: string): Promise<Uint8Array[]> => {
    const { port } = server.address() as AddressInfo;
    const call = { method: 'POST' as const, path: '/', idleTimeoutMs, signal: new AbortController().signal };
    const place = { protocol: 'http:', hostname: '127.0.0.1', port, agent: false as const };
    const reply = await httpCall(place, body === undefined ? call : { ...call, body }, 'the host');
    const all: Uint8Array[] = [];
    for await (const part of reply.body) all.push(part);
    return all;
  };
  const isTimeout = (error: unknown): boolean => StorageError.is(error, 'TIMEOUT');

  afterEach(() => server.close());

  it('is given up when it says nothing, before, in and after its head', async () => {
    for (const words of ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc']) {
      server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(words);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await assert.rejects(ask(100, '{}'), isTimeout);
      server.close();
    }
  });

  it('is given up when it reads nothing', async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pause();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await assert.rejects(ask(100, 'x'.repeat(20_000_000)), isTimeout);
  });
});
