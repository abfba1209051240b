import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { StorageError } from '../errors.js';
import { MAX_DOCUMENT_BYTES, MAX_JSON_DEPTH } from '../limits.js';
import { silentLogger } from '../log.js';
import type { Document } from './document-database.js';
import type { Access, HostingRules } from './http-access.js';
import { createDocumentServer } from './http-server.js';
import { LevelHost } from './level-host.js';

/** PouchDB as a client of the server: what the protocol means is what it understands. */
interface ForeignPouch {
  put(document: Document): Promise<{ rev: string }>;
  get(id: string, options?: object): Promise<Document & { _rev: string; _conflicts?: string[] }>;
  remove(id: string, rev: string): Promise<unknown>;
  bulkDocs(documents: Document[], options?: object): Promise<readonly { ok?: true; error?: unknown; name?: string }[]>;
  allDocs(options?: object): Promise<{ rows: { id: string; doc?: Document }[] }>;
  changes(options: object): Promise<{ results: { id: string; seq: string; deleted?: true }[]; last_seq: string }>;
  info(): Promise<{ doc_count: number }>;
  compact(): Promise<unknown>;
  destroy(): Promise<unknown>;
  close(): Promise<void>;
}

interface Replication {
  readonly docs_written: number;
  readonly doc_write_failures: number;
  readonly ok: boolean;
}

type ForeignConstructor = (new (name: string, options?: object) => ForeignPouch) & {
  plugin(plugin: unknown): ForeignConstructor;
  replicate(source: ForeignPouch, target: ForeignPouch, options?: object): Promise<Replication>;
};

const require = createRequire(import.meta.url);
const PouchDB = require('pouchdb-core') as ForeignConstructor;
for (const name of ['adapter-http', 'adapter-leveldb', 'replication']) PouchDB.plugin(require(`pouchdb-${name}`));

let directory: string;
let host: LevelHost;
let server: FastifyInstance;
let origin: string;
let asked: Access[];
let rules: HostingRules;

const everybody: HostingRules = {
  async authorize(_request, access) {
    asked.push(access);
    return { db: access.database ?? '', name: 'somebody', roles: [] };
  },
};

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-http-documents-'));
});

after(() => rm(directory, { recursive: true }));

beforeEach(async (context) => {
  asked = [];
  rules = everybody;
  host = await LevelHost.open({ directory: join(directory, String(Math.random()).slice(2)), logger: silentLogger() });
  server = createDocumentServer(host, {
    rules: {
      authorize: (request, access) => rules.authorize(request, access),
      validate: (newDoc, oldDoc, user, security) => rules.validate?.(newDoc, oldDoc, user, security),
    },
    logger: silentLogger(),
    uuid: `server-of-${context.name}`,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${String((server.server.address() as AddressInfo).port)}`;
});

afterEach(async () => {
  await server.close();
  await host.close();
});

function remote(name: string): ForeignPouch {
  return new PouchDB(`${origin}/${name}`, { adapter: 'http' });
}

function local(name: string): ForeignPouch {
  return new PouchDB(join(directory, `local-${name}`), { adapter: 'leveldb' });
}

function numbered(count: number, prefix = 'number'): Document[] {
  return Array.from({ length: count }, (_, index) => ({ _id: `${prefix}-${String(index).padStart(5, '0')}`, index }));
}

async function request(
  path: string,
  options: { method?: string; body?: unknown; raw?: string } = {},
): Promise<{ status: number; body: unknown }> {
  const text = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const reply = await fetch(origin + path, {
    method: options.method ?? 'GET',
    ...(text !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
  });
  return { status: reply.status, body: await reply.json() };
}

describe('PouchDB as the client', () => {
  test('creates, writes, reads, lists, deletes and compacts', async () => {
    const pouch = remote('things');
    const { rev } = await pouch.put({ _id: 'a', text: 'one' });
    await assert.rejects(pouch.put({ _id: 'a', text: 'two' }), { status: 409, name: 'conflict' });
    await pouch.put({ _id: 'a', _rev: rev, text: 'two' });
    await pouch.put({ _id: '_design/x', views: {} });
    const found = await pouch.get('a', { revs: true });
    assert.equal(found['text'], 'two');
    await pouch.bulkDocs(numbered(250));
    const all = await pouch.allDocs({ include_docs: true, startkey: 'number-', endkey: 'number-\uffff' });
    assert.deepEqual(
      all.rows.map(({ doc }) => doc?.['index']),
      [...Array(250).keys()],
    );
    await pouch.remove('a', found._rev);
    await assert.rejects(pouch.get('a'), { status: 404, reason: 'deleted' });
    await assert.rejects(pouch.get('never'), { status: 404, reason: 'missing' });
    const { results } = await pouch.changes({ since: 0 });
    assert.equal(results.length, 252);
    assert.equal(results.find(({ id }) => id === 'a')?.deleted, true);
    await pouch.compact();
    assert.equal((await pouch.info()).doc_count, 251);
    await pouch.destroy();
    assert.deepEqual(await host.names(), []);
  });

  test('replicates 2,000 documents both ways, with conflicts and deletions, and goes on where it was', async () => {
    const [here, there] = [local('both'), remote('both')];
    await here.bulkDocs(numbered(1000, 'here'));
    await there.bulkDocs(numbered(1000, 'there'));
    const parent = await here.put({ _id: 'shared', text: 'parent' });
    await PouchDB.replicate(here, there);
    const pulled = await PouchDB.replicate(there, here);
    assert.equal(pulled.docs_written, 1000);
    assert.equal((await there.info()).doc_count, 2001);
    assert.equal((await here.info()).doc_count, 2001);

    await here.put({ _id: 'shared', _rev: parent.rev, text: 'mine' });
    await there.put({ _id: 'shared', _rev: parent.rev, text: 'yours' });
    await here.remove('here-00007', (await here.get('here-00007'))._rev);
    await there.remove('there-00009', (await there.get('there-00009'))._rev);
    const pushed = await PouchDB.replicate(here, there);
    assert.equal(pushed.docs_written, 2, 'only what is new');
    assert.equal((await PouchDB.replicate(there, here)).docs_written, 2);
    const [mine, yours] = [
      await here.get('shared', { conflicts: true }),
      await there.get('shared', { conflicts: true }),
    ];
    assert.deepEqual(mine, yours);
    assert.equal(mine._conflicts?.length, 1);
    await assert.rejects(there.get('here-00007'), { reason: 'deleted' });
    await assert.rejects(here.get('there-00009'), { reason: 'deleted' });
    assert.equal((await PouchDB.replicate(there, here)).docs_written, 0);
    await here.close();
  });

  test('replicates what a selector chooses', async () => {
    const [here, there] = [local('some'), remote('some')];
    await there.bulkDocs(
      numbered(600).map((document) => ({ ...document, peers: [`p${String(Number(document['index']) % 3)}`] })),
    );
    const selector = { $or: [{ owner: 'me' }, { peers: { $elemMatch: { $eq: 'p1' } } }] };
    const pulled = await PouchDB.replicate(there, here, { selector });
    assert.equal(pulled.docs_written, 200);
    assert.equal((await PouchDB.replicate(there, here, { doc_ids: ['number-00000', 'unknown'] })).docs_written, 1);
    await here.close();
  });

  test('is refused single documents by the rules, and goes on with the others', async () => {
    const [here, there] = [local('refused'), remote('refused')];
    const judged: (readonly [id: string, ...unknown[]])[] = [];
    rules = {
      ...everybody,
      validate(newDoc, oldDoc, user) {
        judged.push([newDoc._id, oldDoc?.['index'], user.db, user.name]);
        if (newDoc['index'] === 3) throw Object.assign(new Error('no threes'), { forbidden: 'no threes' });
      },
    };
    await here.bulkDocs(numbered(10));
    const denied = await PouchDB.replicate(here, there);
    assert.deepEqual([denied.ok, denied.docs_written, denied.doc_write_failures], [true, 9, 1]);
    assert.equal((await there.info()).doc_count, 9);
    const zero = judged.find(([id]) => id === 'number-00000');
    assert.deepEqual(zero, ['number-00000', undefined, 'refused', 'somebody']);

    const first = await here.get('number-00000');
    await here.put({ ...first, index: 100 });
    judged.length = 0;
    await PouchDB.replicate(here, there);
    assert.deepEqual(judged, [['number-00000', 0, 'refused', 'somebody']]);
    await assert.rejects(there.put({ _id: 'another', index: 3 }), {
      status: 403,
      name: 'forbidden',
      reason: 'no threes',
    });
    const results = await there.bulkDocs([
      { _id: 'x', index: 3 },
      { _id: 'y', index: 4 },
    ]);
    assert.deepEqual(
      results.map(({ ok, name }) => ok ?? name),
      ['forbidden', true],
    );
    await here.close();
  });
});

describe('the feed of changes', () => {
  test('a long poll answers when something is written, and with nothing at its end', async () => {
    await remote('feed').info();
    const waiting = request('/feed/_changes?feed=longpoll&since=0');
    await host.open('feed').then((documents) => documents.put([{ _id: 'a' }]));
    const { body } = await waiting;
    const { results, last_seq } = body as { results: { id: string }[]; last_seq: string };
    assert.deepEqual(
      results.map(({ id }) => id),
      ['a'],
    );
    const none = await request(`/feed/_changes?feed=longpoll&timeout=1&since=${last_seq}`);
    assert.deepEqual(none.body, { results: [], last_seq, pending: 0 });
    assert.equal((await request('/feed/_changes?since=now')).status, 200);
    const before = await request('/feed/_changes?since=99-00000000');
    assert.equal((before.body as { results: unknown[] }).results.length, 1, 'another database counted to 99');
  });

  test('a full page is as long as it was asked for, whatever was replaced between', async () => {
    const documents = await host.open('pages');
    for (let round = 0; round < 4; round++) await documents.put(numbered(100));
    await documents.put(numbered(500, 'last'));
    const { body } = await request('/pages/_changes?limit=550&style=all_docs&include_docs=true');
    const { results, pending } = body as { results: { doc: Document; changes: unknown[] }[]; pending: number };
    assert.equal(results.length, 550);
    assert.equal(pending, 50);
    assert.ok(results.every(({ doc, changes }) => typeof doc['index'] === 'number' && changes.length === 1));
  });
});

describe('the rules', () => {
  test('are asked what a request does before its body is read', async () => {
    rules = {
      async authorize(_request, access) {
        throw new StorageError('UNAUTHENTICATED', `not for you: ${access.action} ${access.database ?? '-'}`);
      },
    };
    const said: unknown[] = [];
    const ask = async (method: string, path: string): Promise<void> => {
      const { status, body } = await request(path, { method, ...(method !== 'GET' && { raw: '{"unfinished' }) });
      assert.equal(status, 401);
      said.push((body as { reason: string }).reason.replace('not for you: ', ''));
    };
    await ask('GET', '/');
    await ask('GET', '/_all_dbs');
    await ask('PUT', '/new');
    await ask('DELETE', '/old');
    await ask('GET', '/db/doc');
    await ask('PUT', '/db/doc');
    await ask('PUT', '/db/_local/x');
    await ask('PUT', '/db/_local%2Fx');
    await ask('GET', '/db/_local/x');
    await ask('PUT', '/db/_design/x');
    await ask('PUT', '/db/_design%2Fx');
    await ask('POST', '/db/_bulk_docs');
    await ask('POST', '/db/_bulk_get');
    await ask('POST', '/db/_revs_diff');
    await ask('PUT', '/db/_security');
    await ask('POST', '/db/_compact');
    assert.deepEqual(said, [
      'greet -',
      'list -',
      'create new',
      'drop old',
      'read db',
      'write db',
      'checkpoint db',
      'checkpoint db',
      'checkpoint db',
      'administer db',
      'administer db',
      'write db',
      'read db',
      'read db',
      'administer db',
      'administer db',
    ]);
  });

  test('who may use a database is kept with it, out of reach of documents', async () => {
    await remote('kept').info();
    const security = { admins: { names: ['boss'], roles: [] }, members: { names: [], roles: ['member'] } };
    assert.equal((await request('/kept/_security', { method: 'PUT', body: { ...security, more: 1 } })).status, 200);
    assert.deepEqual((await request('/kept/_security')).body, security);
    assert.equal((await request('/kept/_local/shoal-security')).status, 400);
    assert.equal((await request('/kept/_local%2Fshoal-security', { method: 'PUT', body: {} })).status, 400);
  });
});

describe('bounds', () => {
  test('a document that PouchDB would choke on is refused alone', async () => {
    await remote('odd').info();
    const bad: unknown[] = [
      { _id: 'big', text: 'x'.repeat(MAX_DOCUMENT_BYTES) },
      { _id: 'attached', _attachments: { a: { data: 'eA==', content_type: 'text/plain' } } },
      { _id: 'special', _rev_tree: [] },
      { _id: '_odd' },
      { _id: 'spa ce' },
      { _id: 'rev', _rev: 'x' },
      { _id: 'deleted', _deleted: 'yes' },
      { _id: 'history', _rev: '2-a', _revisions: { start: 1, ids: ['a', 'b'] } },
      { _id: 'short', _rev: '1-a', _revisions: { start: 1, ids: ['a'] } },
      { _id: 'case', _rev: `1-${'A'.repeat(32)}`, _revisions: { start: 1, ids: ['A'.repeat(32)] } },
      { _id: 'bad', _rev: '1-a', _revisions: { start: 1, ids: ['b'] } },
      'text',
      null,
      [],
    ];
    for (const newEdits of [true, false]) {
      const docs = [...bad, { _id: `good-${String(newEdits)}`, _rev: `1-${'a'.repeat(32)}` }].map((each) =>
        newEdits && typeof each === 'object' && each !== null && '_id' in each && each._id === 'good-true'
          ? { _id: 'good-true' }
          : each,
      );
      const { status, body } = await request('/odd/_bulk_docs', {
        method: 'POST',
        body: { docs, new_edits: newEdits },
      });
      assert.equal(status, 201);
      const refused = (body as { error?: string }[]).filter(({ error }) => error === 'forbidden');
      assert.equal(refused.length, bad.length);
    }
    assert.equal((await remote('odd').info()).doc_count, 2);
  });

  test('bodies that are deep, wide, long, or no JSON are refused', async () => {
    await remote('wide').info();
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const post = async (raw: string): Promise<number> =>
      (await request('/wide/_bulk_docs', { method: 'POST', raw })).status;
    assert.equal(await post(`{"docs":${nested(MAX_JSON_DEPTH)}}`), 413);
    assert.equal(await post(`{"docs":[{"_id":"a","text":"${'['.repeat(100)}\\"${'['.repeat(100)}"}]}`), 201);
    assert.equal(await post(`{"docs":[${'0,'.repeat(1_000_000)}0]}`), 413);
    assert.equal(await post(`{"docs":[${'0,'.repeat(20_000)}0]}`), 413);
    assert.equal(await post('{"docs":[{"_id":"a","__proto__":{}}]}'), 400);
    assert.equal(await post('{"docs"'), 400);
    assert.equal(await post('[]'), 400);
    assert.equal(await post(' '.repeat(41 * 1024 * 1024)), 413);
  });
});
