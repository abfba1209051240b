import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Document } from '../../src/documents/document-database.js';
import { MAX_DOCUMENT_BYTES } from '../../src/limits.js';
import { change, type RealCouch, realCouch, Stage, type TestHost, type TestSide, until, USER } from './stage.js';

const CATALOG = `user-${USER}-1`;
const hash = (index: number): string => index.toString(16).padStart(32, '0');

/** Revisions as another database has them, newest first. */
function revised(document: Document, ...ids: readonly number[]): Document {
  const hashes = ids.map(hash);
  return {
    ...document,
    _rev: `${String(ids.length)}-${hashes[0] ?? ''}`,
    _revisions: { start: ids.length, ids: hashes },
  };
}

/** What a member may send straight to the front of a host. */
class Member {
  readonly #side: TestSide;
  readonly #host: TestHost;

  constructor(side: TestSide, host: TestHost) {
    this.#side = side;
    this.#host = host;
  }

  async ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<[status: number, value: unknown]> {
    using web = this.#side.web(this.#host.record);
    const { signal } = new AbortController();
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await web.send({ method, path, ...text, idleTimeoutMs: 10_000, signal });
    const parts: Uint8Array[] = [];
    for await (const part of reply.body) parts.push(part);
    return [reply.status, JSON.parse(Buffer.concat(parts).toString())];
  }

  /** @returns the reasons of those that were refused */
  async write(...docs: readonly Document[]): Promise<string[]> {
    const [status, value] = await this.ask('POST', `/${CATALOG}/_bulk_docs`, { docs, new_edits: false });
    assert.equal(status, 201, JSON.stringify(value));
    return (value as { reason: string }[]).map(({ reason }) => reason);
  }

  async read(id: string): Promise<Document> {
    const [, value] = await this.ask('GET', `/${CATALOG}/${id}`);
    return value as Document;
  }
}

async function open(
  real: RealCouch | undefined,
): Promise<AsyncDisposable & { member: Member; host: TestHost; side: TestSide }> {
  const stage = await Stage.open(real);
  const host = await stage.host();
  await host.provide(CATALOG);
  const side = await stage.side();
  return { member: new Member(side, host), host, side, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
}

/** What the embedded server and a real CouchDB have to agree in. */
function suite(real: RealCouch | undefined): void {
  it('keeps what never changes, on whatever branch it is attacked', async () => {
    await using parts = await open(real);
    const { member } = parts;
    const { _id } = change(1);
    assert.deepEqual(await member.write(revised(change(1), 1)), []);
    const forged = change(1, { sealed: 'BBBB' });
    assert.match(String(await member.write(revised(forged, 2, 1))), /never changes/);
    assert.match(String(await member.write(revised({ _id, _deleted: true }, 3, 1))), /never deleted/);
    assert.match(
      String(await member.write(revised(forged, 5, 4, 1))),
      /never changes/,
      'behind a revision that is not told',
    );
    assert.deepEqual(await member.write(revised(change(1), 6, 1)), [], 'the same once more');
    assert.equal((await member.read(_id))['sealed'], 'AAAA');
    assert.deepEqual(await member.write(revised(change(1), 6, 1)), [], 'what is known');
  });

  it('takes documents of 64 KiB and none of more, and answers for each of a batch', async () => {
    await using parts = await open(real);
    const { member } = parts;
    const own = Object.entries(change(1, { large: '' })).filter(([name]) => !name.startsWith('_'));
    const room = MAX_DOCUMENT_BYTES - JSON.stringify(Object.fromEntries(own)).length;
    const sized = (index: number, more: number): Document =>
      revised(change(index, { large: 'x'.repeat(room + more) }), 1);
    // One digit each, so that all are as long.
    const batch = Array.from({ length: 10 }, (_, index) => sized(index, index === 7 ? 1 : 0));
    assert.match(String(await member.write(...batch)), /^a document has at most 65536 bytes.?$/i);
    const [, listed] = await member.ask('GET', `/${CATALOG}/_all_docs?limit=100`);
    const ids = (listed as { rows: { id: string }[] }).rows
      .map(({ id }) => id)
      .filter((id) => id.startsWith('change-'));
    assert.equal(ids.length, 9);
    assert.ok(!ids.includes(change(7)._id));
  });

  it('refuses revisions that only some databases read', async () => {
    await using parts = await open(real);
    const { member } = parts;
    const odd = { ...change(1), _rev: '1-abc', _revisions: { start: 1, ids: ['abc'] } };
    assert.equal((await member.write(odd, revised(change(2), 1))).length, 1);
    assert.equal((await member.read(change(2)._id))['counter'], 2);
  });

  it('lets nobody make, empty, open or describe a database', async () => {
    await using parts = await open(real);
    const { member } = parts;
    for (const [method, path] of [
      ['PUT', `/user-${USER}-2`],
      ['PUT', `/${CATALOG}/_security`],
      ['GET', `/${CATALOG}/_security`],
      ['PUT', `/${CATALOG}/_design/other`],
      ['POST', `/${CATALOG}/_purge`],
      ['POST', `/${CATALOG}/_compact`],
      ['GET', '/_all_dbs'],
      ['GET', `/${CATALOG}/_changes?since=0;feed=continuous`],
    ] as const) {
      assert.equal((await member.ask(method, path, method === 'GET' ? undefined : {}))[0], 404, path);
    }
  });

  it('forgets what was replaced, once it is compacted', async () => {
    await using parts = await open(real);
    const { member, host } = parts;
    await host.databases.provide('network', { names: [], roles: ['shoal-peer'] });
    const user = (text: string): Document => ({ _id: `user-${USER}`, type: 'user', format: 1, signed: text });
    const docs = [revised(user('AAAA'), 1), revised(user('BBBB'), 2, 1)];
    for (const doc of docs) await member.ask('POST', '/network/_bulk_docs', { docs: [doc], new_edits: false });
    const former = `/network/user-${USER}?rev=1-${hash(1)}`;
    assert.equal((await member.ask('GET', former))[0], 200);
    await host.databases.compact('network');
    assert.equal((await member.ask('GET', former))[0], 404);
    assert.equal((await member.ask('GET', `/network/user-${USER}`))[0], 200);
  });

  it('has nothing left of a database that was dropped, when it is made again', async () => {
    await using parts = await open(real);
    const { member, host, side } = parts;
    await member.write(revised(change(1), 1));
    side.replicate([host.record], CATALOG);
    await until('it is pulled', async () => (await side.count(CATALOG)) === 1);
    await side.put(CATALOG, [change(2)]);
    await until('it is pushed', () =>
      side.states.some(({ direction, written }) => direction === 'push' && written === 1),
    );
    side.replicate([]);
    assert.equal(await host.databases.isFilled(CATALOG), true);
    await host.databases.drop(CATALOG);
    assert.equal(await host.databases.isFilled(CATALOG), false);
    assert.equal((await member.ask('GET', `/${CATALOG}`))[0], 404);
    await host.databases.drop(CATALOG);
    await host.provide(CATALOG);
    assert.equal(await host.databases.isFilled(CATALOG), false);
    assert.equal((await member.ask('GET', `/${CATALOG}/${change(1)._id}`))[0], 404);
    side.replicate([host.record], CATALOG);
    await until(
      'both are there again',
      async () => (await host.databases.isFilled(CATALOG)) && side.states.every(({ phase }) => phase === 'waiting'),
    );
    for (const index of [1, 2]) assert.equal((await member.read(change(index)._id))['counter'], index);
  });

  it('tells of changes in a feed that waits, and ends in time', async () => {
    await using parts = await open(real);
    const { member } = parts;
    const [, first] = await member.ask('GET', `/${CATALOG}/_changes`);
    const { last_seq: since } = first as { last_seq: string };
    const path = `/${CATALOG}/_changes?feed=longpoll&style=all_docs&since=${since}`;
    const [status, none] = await member.ask('POST', `${path}&timeout=100`, {});
    assert.deepEqual([status, (none as { results: unknown[] }).results], [200, []]);
    const waiting = member.ask('POST', `${path}&timeout=10000`, {});
    await member.write(revised(change(1), 1));
    const [, told] = await waiting;
    assert.deepEqual(
      (told as { results: { id: string }[] }).results.map(({ id }) => id),
      [change(1)._id],
    );
  });
}

describe('the embedded CouchDB behind its front', () => suite(undefined));

const real = await realCouch();
describe('a real CouchDB behind its front', real === undefined ? { skip: 'COUCHDB_URL is not set' } : {}, () =>
  suite(real),
);
