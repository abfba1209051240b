import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { proxyToken } from '../../crypto/proxy-token.js';
import { MAX_BRANCHES } from '../../limits.js';
import { type ErrorCode, StorageError } from '../../errors.js';
import { silentLogger } from '../../log.js';
import { EmbeddedCouch } from './embedded-couch.js';

const SECRET = 'of the front';

describe('the embedded CouchDB', () => {
  let folder: string, socket: string, couch: EmbeddedCouch;
  const open = (): Promise<EmbeddedCouch> =>
    EmbeddedCouch.open({
      directory: join(folder, 'couchdb'),
      socket,
      secret: SECRET,
      latestIn: (name) => (name === 'network' ? ({ right }) => right === true : undefined),
      logger: silentLogger(),
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-embedded-'));
    socket = join(folder, 'couch.sock');
    couch = await open();
    await couch.provide('network', { names: [], roles: ['shoal-peer'] });
    await couch.provide('stripes', { names: ['peer-1'], roles: [] });
  });
  after(async () => {
    await couch.close();
    await rm(folder, { recursive: true });
  });

  const identity = (name: string, roles = 'shoal-peer', token = proxyToken(SECRET, name)): Record<string, string> => ({
    'x-auth-couchdb-username': name,
    'x-auth-couchdb-roles': roles,
    'x-auth-couchdb-token': token,
  });
  const ask = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const length = { 'content-type': 'application/json', 'content-length': String(text.length) };
      const sent = request({ socketPath: socket, method, path, headers: { ...headers, ...length } }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve([response.statusCode ?? 0, text]));
      });
      sent.on('error', reject);
      sent.end(text);
    });

  it('believes the token of the front, and nothing without it', async () => {
    assert.equal((await ask('GET', '/network', identity('peer-1')))[0], 200);
    const wrong = proxyToken('another', 'peer-1');
    for (const headers of [
      {},
      identity('peer-1', 'shoal-peer', wrong),
      identity('peer-1', 'shoal-peer', ''),
      identity('peer-1', 'shoal-peer', proxyToken(SECRET, 'peer-2')),
      identity('peer-1', 'shoal-peer', proxyToken(SECRET, 'peer-1').toUpperCase()),
      { authorization: 'Basic YWRtaW46YWRtaW4=' },
    ]) {
      assert.equal((await ask('GET', '/network', headers))[0], 401);
    }
  });

  it('says whether documents lie in a database', async () => {
    const name = `user-${'c'.repeat(64)}-1`;
    assert.equal(await couch.isFilled(name), false);
    await couch.provide(name, { names: ['peer-1'], roles: [] });
    assert.equal(await couch.isFilled(name), false);
    await using database = await couch.host.open(name);
    await database.put([{ _id: 'change-1' }]);
    assert.equal(await couch.isFilled(name), true);
    await couch.drop(name);
  });

  it('takes no token under an empty secret', async () => {
    await using open = await EmbeddedCouch.open({
      directory: join(folder, 'empty'),
      socket: join(folder, 'empty.sock'),
      secret: '',
      logger: silentLogger(),
    });
    await open.provide('network', { names: [], roles: ['shoal-peer'] });
    const before = socket;
    socket = join(folder, 'empty.sock');
    assert.equal((await ask('GET', '/network', identity('peer-1', 'shoal-peer', proxyToken('', 'peer-1'))))[0], 401);
    socket = before;
  });

  it('lets members in, by name or role, and nobody else', async () => {
    assert.equal((await ask('GET', '/stripes', identity('peer-1')))[0], 200);
    assert.equal((await ask('GET', '/stripes', identity('peer-2')))[0], 403);
    assert.equal((await ask('POST', '/stripes/_changes', identity('peer-2'), {}))[0], 403);
    assert.equal((await ask('GET', '/network', identity('peer-2', 'other')))[0], 403);
    assert.equal((await ask('GET', `/user-${'a'.repeat(64)}-1`, identity('peer-1')))[0], 404);
  });

  it('has no admin, whatever roles are claimed', async () => {
    const admin = identity('peer-1', 'shoal-peer,_admin,shoal-authority');
    for (const [method, path] of [
      ['GET', '/_all_dbs'],
      ['GET', '/_status'],
      ['PUT', `/user-${'a'.repeat(64)}-1`],
      ['DELETE', '/network'],
      ['PUT', '/network/_security'],
      ['POST', '/network/_compact'],
      ['PUT', '/network/_design/shoal'],
    ] as const) {
      const [status] = await ask(method, path, admin, method === 'GET' ? undefined : {});
      assert.ok(status === 403 || status === 404, `${method} ${path}: ${String(status)}`);
    }
    assert.deepEqual(await couch.names(), ['network', 'stripes']);
  });

  it('applies the rules to what is replicated, each document by itself', async () => {
    const good = { _id: `user-${'a'.repeat(64)}`, type: 'user', format: 1 };
    const docs = [
      { ...good, _rev: '1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' },
      { _id: 'note', type: 'note', _rev: '1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' },
    ];
    const [status, text] = await ask('POST', '/network/_bulk_docs', identity('peer-1'), { docs, new_edits: false });
    assert.equal(status, 201);
    const results = JSON.parse(text) as { id: string; error?: string }[];
    assert.deepEqual(
      results.filter(({ error }) => error !== undefined).map(({ id, error }) => [id, error]),
      [['note', 'forbidden']],
    );
    assert.equal((await ask('GET', `/network/${good._id}`, identity('peer-2')))[0], 200);
  });

  it('takes some branches of a document of the network, and then only the latest', async () => {
    const good = { _id: `user-${'b'.repeat(64)}`, type: 'user', format: 1 };
    const hash = (index: number): string => index.toString(16).padStart(32, '0');
    const branches = (count: number, fields: object): object[] =>
      Array.from({ length: count }, (_, index) => ({ ...good, ...fields, _rev: `1-${hash(index)}` }));
    const refusals = async (docs: readonly object[]): Promise<number> => {
      const [, text] = await ask('POST', '/network/_bulk_docs', identity('peer-1'), { docs, new_edits: false });
      return (JSON.parse(text) as unknown[]).length;
    };
    assert.equal(await refusals(branches(MAX_BRANCHES + 5, {})), 5);
    assert.equal(await refusals(branches(MAX_BRANCHES + 5, {})), 5);
    assert.equal(await refusals([{ ...good, _rev: `1-${hash(99)}`, right: true }]), 0);
    const follows = { ...good, _rev: `2-${hash(98)}`, _revisions: { start: 2, ids: [hash(98), hash(0)] } };
    assert.equal(await refusals([follows]), 0);
  });

  it('tells peers of its troubles, and not where they lie', async () => {
    const refuse = (code: ErrorCode, text: string): Promise<[number, string]> => {
      couch.host.acquireExisting = () => Promise.reject(new StorageError(code, text));
      return ask('GET', '/network', identity('peer-1'));
    };
    const own = couch.host.acquireExisting.bind(couch.host);
    try {
      for (const code of ['NO_SPACE', 'CORRUPT', 'CONFLICT', 'UNAVAILABLE', 'INTERNAL'] as const) {
        const [status, text] = await refuse(code, `The disk of ${folder} is in trouble.`);
        assert.ok(status >= 409, `${code}: ${String(status)}`);
        assert.ok(!text.includes(folder) && !text.includes('disk of /'), text);
        assert.equal((JSON.parse(text) as { code: string }).code, code);
      }
      assert.match((await refuse('NOT_FOUND', 'Database does not exist.'))[1], /does not exist/);
    } finally {
      couch.host.acquireExisting = own;
    }
  });

  it('remembers who may do what', async () => {
    await couch.close();
    couch = await open();
    assert.equal((await ask('GET', '/stripes', identity('peer-1')))[0], 200);
    assert.equal((await ask('GET', '/stripes', identity('peer-2')))[0], 403);
    await couch.drop('stripes');
    assert.equal((await ask('GET', '/stripes', identity('peer-1')))[0], 404);
  });
});
