import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { parseChunkId, type PeerId } from '../../src/chunk/ids.js';
import { proxyToken } from '../../src/crypto/proxy-token.js';
import type { StorageError } from '../../src/errors.js';
import type { HttpCall } from '../../src/http-call.js';
import { MAX_WEB_BODY_BYTES } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { webRoutes } from '../../src/front/web-routes.js';
import { couchPath, couchRoute } from '../../src/wire/couch-route.js';
import { PeerWeb } from '../../src/wire/peer-web.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import type { PeerServer } from '../../src/wire/server.js';
import { reach, serve, TestNetwork, type TestPeer } from './network.js';

const SECRET = 'between the front and its CouchDB';
const USER = 'ab'.repeat(32);
const { signal } = new AbortController();

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A CouchDB that remembers what it was asked, and tells of itself. */
class FakeCouch {
  readonly seen: Seen[] = [];
  readonly server: Server;
  /** Resolves when it is asked; it never answers then. */
  hang: (() => void) | undefined;

  constructor() {
    this.server = createServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', () => undefined);
      incoming.on('end', () => {
        const { method = '', url = '', headers } = incoming;
        this.seen.push({ method, url, headers, body: Buffer.concat(parts).toString() });
        if (this.hang !== undefined) this.hang();
        else {
          response.writeHead(200, { server: 'CouchDB/3.5.0', 'x-couch-request-id': '1', etag: '"1"' });
          response.end('{"ok":true}');
        }
      });
    });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('what peers may ask a backup database for', () => {
  const D = `user-${USER}-1`;
  const allowed: readonly (readonly [string, string])[] = [
    ['GET', '/network'],
    ['HEAD', '/stripes'],
    ['GET', `/${D}`],
    ['GET', '/network/_changes?since=0&feed=longpoll'],
    ['POST', '/stripes/_changes?filter=_selector'],
    ['POST', `/${D}/_revs_diff`],
    ['POST', '/network/_bulk_docs'],
    ['GET', '/stripes/_all_docs?startkey=%22move-ab-%22&endkey=%22move-ab.%22&limit=9'],
    ['POST', '/network/_bulk_get?revs=true'],
    ['GET', '/network/_local/0123abc_-Z'],
    ['PUT', '/network/_local/0123abc'],
    ['GET', `/network/user-${USER}?open_revs=all`],
    ['GET', `/network/user-${USER}?revs=true&rev=1-${'a'.repeat(32)}`],
    ['GET', `/network/user-${USER}?open_revs=${encodeURIComponent(JSON.stringify([`1-${'a'.repeat(32)}`]))}`],
    [
      'POST',
      '/stripes/_changes?style=all_docs&since=12-g1AAAA_-z&limit=500&feed=longpoll&timeout=25000&filter=_selector',
    ],
  ];
  const refused: readonly (readonly [string, string])[] = [
    ['GET', '/'],
    ['GET', '/_all_dbs'],
    ['GET', '/_users'],
    ['GET', '/_users/_all_docs'],
    ['GET', '/_node/_local/_config'],
    ['GET', '/_utils/'],
    ['PUT', '/network'],
    ['DELETE', '/network'],
    ['PUT', `/user-${USER}-2`],
    ['GET', '/user-abc-1'],
    ['GET', `/user-${USER}-0`],
    ['GET', '/other'],
    ['GET', '/network/_security'],
    ['PUT', '/network/_security'],
    ['PUT', '/network/_design/shoal'],
    ['GET', '/network/_design/shoal'],
    ['POST', '/network/_compact'],
    ['POST', '/network/_purge'],
    ['POST', '/network/_find'],
    ['PUT', '/network/_revs_limit'],
    ['PUT', '/network/peer-1'],
    ['DELETE', '/network/peer-1'],
    ['DELETE', '/network/_local/0123abc'],
    ['TRACE', '/network'],
    ['PATCH', '/network/_bulk_docs'],
    ['PROPFIND', '/network'],
    ['GET', '/network/../_users'],
    ['GET', '/network/%2e%2e/_users'],
    ['GET', '/network%2f..%2f_users'],
    ['GET', '/network/_local%2fx'],
    ['GET', '//network'],
    ['GET', '/network//_changes'],
    ['GET', '/network/'],
    ['GET', '/network/_changes/'],
    ['GET', '/network\\_changes'],
    ['GET', '/network/_changes#x'],
    ['GET', '/network/_changes;x'],
    ['GET', '/network/_changes?feed=continuous&heartbeat=1000'],
    ['POST', '/network/_changes?feed=%65ventsource'],
    ['GET', '/network/_changes?feed=longpoll&feed=continuous'],
    ['GET', '/NETWORK'],
    // CouchDB parts parameters at a semicolon, too.
    ['GET', '/network/_changes?since=0;feed=continuous'],
    ['GET', '/network/_changes?since=0%3Bfeed=continuous'],
    ['GET', '/network/_changes?limit=1&limit=2'],
    ['GET', '/network/_changes?heartbeat=1'],
    ['GET', '/network/_changes?filter=shoal/filter'],
    ['GET', '/network/_changes?filter=_view&view=a/b'],
    ['GET', '/network/_changes?attachments=true'],
    ['GET', '/network/_changes?__proto__=1'],
    ['GET', '/network/_all_docs?startkey=[[[[1]]]]'],
    ['GET', '/network/_all_docs?startkey=%22_design%22'],
    ['GET', '/network?callback=f'],
    ['POST', '/network/_bulk_docs?batch=ok'],
    ['POST', '/network/_bulk_get?attachments=true'],
    ['POST', '/network/_revs_diff?w=3'],
    ['PUT', '/network/_local/0123abc?rev=0-1'],
    ['GET', `/network/user-${USER}?open_revs=["1-a"]`],
    ['GET', `/network/user-${USER}?rev=1-${'g'.repeat(32)}`],
    ['GET', `/network/user-${USER}?attachments=true`],
  ];

  it('allows the routes of replication, as they are', () => {
    for (const [method, path] of allowed) assert.equal(couchPath(method, `/couchdb${path}`), path, `${method} ${path}`);
  });

  it('refuses everything else', () => {
    for (const [method, path] of refused) {
      assert.equal(couchPath(method, `/couchdb${path}`), undefined, `${method} ${path}`);
    }
    for (const url of ['/', '/network', '/couchdb', '/couchdbx/network', '*', 'http://elsewhere/couchdb/network', '']) {
      assert.equal(couchPath('GET', url), undefined, url);
    }
  });
});

describe('the front of a peer', () => {
  const removed = new Set<PeerId>();
  const couch = new FakeCouch();
  let folder: string, network: TestNetwork, host: TestPeer, member: TestPeer, authority: TestPeer;
  let server: PeerServer, store: MemoryStore;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-front-'));
    const socket = join(folder, 'couch.sock');
    couch.server.listen(socket);
    await once(couch.server, 'listening');
    network = await TestNetwork.open();
    [host, member, authority] = [await network.peer(), await network.peer(), await network.peer()];
    store = await MemoryStore.open();
    const logger = silentLogger();
    server = await serve(host, {
      isMember: (peer) => !removed.has(peer),
      receiver: { store },
      web: webRoutes({
        couchdb: couchRoute({
          target: { socket },
          secret: SECRET,
          isAuthority: (peer) => peer === authority.id,
          logger,
          idleTimeoutMs: 300,
        }),
      }),
    });
  });
  after(async () => {
    await server.close();
    await store.close();
    couch.server.closeAllConnections();
    couch.server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    couch.seen.length = 0;
    couch.hang = undefined;
  });

  const as = (peer: TestPeer, path: string, options: RequestOptions = {}): RequestOptions => ({
    host: '127.0.0.1',
    port: server.port,
    key: peer.tls.key,
    cert: peer.tls.certificate,
    ca: peer.tls.authority,
    checkServerIdentity: () => undefined,
    path,
    ...options,
  });
  const web = (client: TestPeer, expected: PeerId): PeerWeb =>
    new PeerWeb({ id: expected, address: `127.0.0.1:${String(server.port)}`, tls: client.tls, prefix: '/couchdb' });
  const call = (path: string, more: Partial<HttpCall> = {}): HttpCall => ({
    method: 'GET',
    path,
    idleTimeoutMs: 5_000,
    signal,
    ...more,
  });

  it('passes a request on as the peer that sent it', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', note);
    using client = web(member, host.id);
    const reply = await client.send(call('/network/_bulk_docs', { method: 'POST', body: '{"docs":[]}' }));
    assert.equal(reply.status, 200);
    assert.equal(await text(reply.body), '{"ok":true}');
    const [seen] = couch.seen;
    assert.equal(seen?.url, '/network/_bulk_docs');
    assert.equal(seen.body, '{"docs":[]}');
    assert.equal(seen.headers['x-auth-couchdb-username'], `peer-${member.id}`);
    assert.equal(seen.headers['x-auth-couchdb-roles'], 'shoal-peer');
    assert.equal(seen.headers['x-auth-couchdb-token'], proxyToken(SECRET, `peer-${member.id}`));
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  });

  it('gives the role of the authority to its peers', async () => {
    await ask(as(authority, '/couchdb/network'));
    assert.equal(couch.seen[0]?.headers['x-auth-couchdb-roles'], 'shoal-peer,shoal-authority');
  });

  it('drops every identity that the caller claims', async () => {
    const headers = {
      'X-Auth-CouchDB-UserName': 'admin',
      'x-auth-couchdb-roles': '_admin',
      'X-Auth-CouchDB-Token': 'ff',
      'X-Auth-CouchDB-Other': '1',
      Authorization: 'Basic YWRtaW46YWRtaW4=',
      Cookie: 'AuthSession=1',
      'X-Forwarded-For': '127.0.0.1',
      Host: 'elsewhere',
    };
    await ask(as(member, '/couchdb/network', { headers }));
    const { headers: passed } = couch.seen[0] ?? assert.fail('nothing was passed on');
    assert.deepEqual(Object.keys(passed).sort(), [
      'connection',
      'host',
      'x-auth-couchdb-roles',
      'x-auth-couchdb-token',
      'x-auth-couchdb-username',
    ]);
    assert.equal(passed.host, 'localhost');
    assert.equal(passed['x-auth-couchdb-roles'], 'shoal-peer');
  });

  it('tells nothing of what runs here', async () => {
    const found = await ask(as(member, '/couchdb/network'));
    assert.deepEqual(Object.keys(found.headers).sort(), ['connection', 'date', 'etag', 'transfer-encoding']);
    for (const path of ['/', '/couchdb/_all_dbs', '/couchdb/network/%2e%2e/_users', '/shoal.v1.FileSender/SendChunk']) {
      const { status, headers, body } = await ask(as(member, path));
      assert.equal(status, 404, path);
      assert.deepEqual(Object.keys(headers).sort(), ['connection', 'content-length', 'content-type', 'date']);
      assert.match(body, /not_found/);
    }
    assert.equal(couch.seen.length, 1);
  });

  it('refuses strangers, and does not keep them', async () => {
    const anonymous = as(member, '/couchdb/network');
    delete anonymous.key;
    delete anonymous.cert;
    assert.equal((await ask(anonymous)).status, 401);
    const foreign = await (await TestNetwork.open()).peer();
    const forged = as({ ...foreign, tls: { ...foreign.tls, authority: host.tls.authority } }, '/couchdb/network');
    assert.equal((await ask(forged)).status, 401);
    const expired = await network.peer({ ageDays: 10, days: 9 });
    assert.equal((await ask(as(expired, '/couchdb/network'))).status, 401);
    assert.equal(couch.seen.length, 0);
  });

  it('refuses a removed peer at once, on its open connection too', async () => {
    const leaver = await network.peer();
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.port,
      key: leaver.tls.key,
      cert: leaver.tls.certificate,
      ca: leaver.tls.authority,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['http/1.1'],
    });
    await once(socket, 'secureConnect');
    assert.match(await say(socket, 'GET /couchdb/network HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1.1 200/);
    removed.add(leaver.id);
    assert.match(await say(socket, 'GET /couchdb/network HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1.1 403/);
    socket.destroy();
  });

  it('passes on no body that the other side would take for a request', async () => {
    const smuggled = 'PUT /network/_security HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n';
    const headers = { 'transfer-encoding': 'chunked' };
    const said = await ask(as(member, '/couchdb/network', { headers }), smuggled);
    assert.equal(said.status, 400);
    assert.equal(couch.seen.length, 0);
  });

  it('bounds what it reads', async () => {
    const headers = { 'x-large': 'x'.repeat(20_000) };
    await assert.rejects(ask(as(member, '/couchdb/network', { headers })));
    const method = 'POST';
    const length = { 'content-length': String(MAX_WEB_BODY_BYTES + 1) };
    const said = await ask(as(member, '/couchdb/network/_bulk_docs', { method, headers: length })).catch(String);
    assert.ok(typeof said === 'string' || said.status === 413);
    const flood = 'x'.repeat(MAX_WEB_BODY_BYTES + 1);
    const chunked = { 'transfer-encoding': 'chunked' };
    const flooded = await ask(as(member, '/couchdb/network/_bulk_docs', { method, headers: chunked }), flood).catch(
      String,
    );
    assert.ok(typeof flooded === 'string' || flooded.status === 413);
    assert.equal(couch.seen.length, 0);
  });

  it('gives up on a database that does not answer, and ends its request when the caller leaves', async () => {
    couch.hang = () => undefined;
    assert.equal((await ask(as(member, '/couchdb/network'))).status, 504);
    const asked = new Promise<void>((resolve) => (couch.hang = resolve));
    const gone = new Promise<void>((resolve) => {
      couch.server.once('connection', (socket) => socket.once('close', () => resolve()));
    });
    const leaving = new AbortController();
    using client = web(member, host.id);
    const waiting = client.send(call('/network', { signal: leaving.signal }));
    await asked;
    leaving.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await gone;
  });

  it('serves gRPC on the same port as before', async () => {
    await using remote = RemoteStore.open(reach(member, host, server.port));
    const id = parseChunkId('cd'.repeat(32));
    assert.equal((await remote.has([id], { signal })).size, 0);
  });

  it('is believed only with the certificate of the peer that is wanted', async () => {
    using wrong = web(member, member.id);
    await assert.rejects(wrong.send(call('/network')), (error: StorageError) => {
      assert.equal(error.code, 'UNAUTHENTICATED', error.message);
      return error.message.includes('answers at the address of');
    });
    const stranger = await (await TestNetwork.open()).peer();
    using foreign = web(stranger, host.id);
    await assert.rejects(foreign.send(call('/network')), (error: StorageError) => error.code === 'UNAUTHENTICATED');
    const closed = new PeerWeb({ id: host.id, address: '127.0.0.1:1', tls: member.tls, prefix: '' });
    await assert.rejects(closed.send(call('/network')), (error: StorageError) => error.code === 'UNAVAILABLE');
    closed.close();
  });
});

/** One request by hand on an open connection. */
async function say(socket: TLSSocket, words: string): Promise<string> {
  socket.write(words);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}
