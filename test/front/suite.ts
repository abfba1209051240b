import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { after, before, beforeEach, it } from 'node:test';
import { credentials, Metadata, status, type ChannelCredentials } from '@grpc/grpc-js';
import { segmentsOf } from '../../src/chunk/chunk-store.js';
import { parseChunkId } from '../../src/chunk/ids.js';
import { proxyToken } from '../../src/crypto/proxy-token.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { CERTIFICATE_HEADER, escapeCertificate } from '../../src/wire/admission.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { channelCredentials } from '../../src/wire/tls.js';
import { code, collect, WatchedSource } from '../contract/chunk-store-bench.js';
import { reach, TestNetwork, type TestPeer } from '../wire/network.js';
import {
  ask,
  figures,
  listens,
  mark,
  offer,
  shownBy,
  slowClients,
  statusOf,
  TRANSFER_MIB,
  until,
  user,
  type Answer,
} from './callers.js';
import { FrontStage, SECRET, type FrontKind } from './stage.js';

const signal = new AbortController().signal;
const MIB = 1024 * 1024;
const SEGMENTS = MAX_CHUNK_BYTES / SEGMENT_BYTES;
const USER = '11'.repeat(32);
/** FileReceiver.HasChunks without an id, and its answer without one. */
const HAS_CHUNKS = '/shoal.v1.FileReceiver/HasChunks';

/** Everything that a front is for, whichever it is. Its tests share one. */
export function frontSuite(kind: FrontKind): void {
  let stage: FrontStage;
  let slow: Promise<unknown>;
  let removed: TestPeer, foreign: TestPeer, expired: TestPeer;

  before(async () => {
    stage = await FrontStage.open(kind);
    slow = Promise.all(slowClients(stage));
    // Looked at by a later test.
    slow.catch(() => undefined);
    removed = await stage.network.peer();
    stage.removed.add(removed.id);
    const stranger = await (await TestNetwork.open()).peer();
    foreign = { ...stranger, tls: { ...stranger.tls, authority: stage.host.tls.authority } };
    expired = await stage.network.peer({ ageDays: 10, days: 9 });
  });
  after(() => stage[Symbol.asyncDispose]());
  beforeEach(() => {
    stage.couch.seen.length = 0;
    stage.enrolled.length = 0;
    stage.received = 0;
  });

  const open = (peer = stage.member): RemoteStore => RemoteStore.open(reach(peer, stage.host, stage.port));
  const credentialsOf = (peer: TestPeer): ChannelCredentials =>
    channelCredentials(peer.tls, stage.host.id, () => undefined);
  const anonymous = (): ChannelCredentials =>
    credentials.createSsl(Buffer.from(stage.host.tls.authority), null, null, { checkServerIdentity: () => undefined });
  const as = (peer: TestPeer | undefined, path: string, options: RequestOptions = {}): RequestOptions => ({
    host: '127.0.0.1',
    port: stage.port,
    ...(peer && { key: peer.tls.key, cert: peer.tls.certificate }),
    ca: stage.host.tls.authority,
    checkServerIdentity: () => undefined,
    path,
    ...options,
  });

  it(`carries ${String(TRANSFER_MIB)} MiB each way`, async (t) => {
    await using store = open();
    const chunks = Math.ceil((TRANSFER_MIB * MIB) / MAX_CHUNK_BYTES);
    const offered = offer(stage.member);
    const marks = [await mark(stage)];
    for (let round = 0; round < chunks; round++) {
      const stored = await store.put(offered.header, segmentsOf(offered.content, SEGMENT_BYTES), {
        signal,
        grant: offered.grant,
      });
      assert.equal(stored.existed, false);
      if (round < chunks - 1) await stage.kept.delete(user.id, [offered.header.id], { signal });
    }
    marks.push(await mark(stage));
    for (let round = 0; round < chunks; round++) {
      const { segments } = await store.get(offered.header.id, { signal });
      let index = 0;
      for await (const { bytes } of segments) {
        const wanted = offered.content.subarray(index * SEGMENT_BYTES, ++index * SEGMENT_BYTES);
        assert.ok(wanted.equals(bytes));
      }
      assert.equal(index, SEGMENTS);
    }
    marks.push(await mark(stage));
    t.diagnostic(figures('up', marks.slice(0, 2)));
    t.diagnostic(figures('down', marks.slice(1)));
  });

  it('carries many chunks at once', async () => {
    await using store = open();
    const offers = Array.from({ length: 24 }, () => offer(stage.member, randomBytes(3 * SEGMENT_BYTES + 1)));
    await Promise.all(
      offers.map(async ({ content, header, grant }) => {
        await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
        const got = await collect((await store.get(header.id, { signal })).segments);
        assert.ok(Buffer.concat(got.map(({ bytes }) => bytes)).equals(content));
      }),
    );
    assert.equal(
      (
        await store.has(
          offers.map(({ header }) => header.id),
          { signal },
        )
      ).size,
      offers.length,
    );
  });

  it('passes the refusals of the services on as they are', async () => {
    await using store = open();
    await assert.rejects(store.get(parseChunkId('ab'.repeat(32)), { signal }), code('NOT_FOUND'));
    const offered = offer(stage.member);
    const other = offer(stage.authority);
    const put = store.put(offered.header, segmentsOf(offered.content, SEGMENT_BYTES), { signal, grant: other.grant });
    await assert.rejects(put, code('PERMISSION_DENIED'));
  });

  it('tells the services when a call is cancelled', async () => {
    await using store = open();
    const { content, header, grant } = offer(stage.member);
    const leaving = new AbortController();
    const source = new WatchedSource(content, (segment) => {
      if (segment.index === 20) leaving.abort(new Error('changed my mind'));
      return segment;
    });
    await assert.rejects(store.put(header, source.source, { signal: leaving.signal, grant }), /changed my mind/);
    // A second transfer of the chunk waits for the first to end, which it does when it hears of it.
    assert.equal((await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant })).existed, false);
  });

  it('refuses strangers: no certificate, of another authority, expired; and removed members', async () => {
    assert.equal(await statusOf(stage.port, credentialsOf(stage.member), HAS_CHUNKS), status.OK);
    assert.equal(await statusOf(stage.port, anonymous(), HAS_CHUNKS), status.UNAUTHENTICATED);
    assert.equal(await statusOf(stage.port, credentialsOf(foreign), HAS_CHUNKS), status.UNAUTHENTICATED);
    assert.equal(await statusOf(stage.port, credentialsOf(expired), HAS_CHUNKS), status.UNAUTHENTICATED);
    assert.equal(await statusOf(stage.port, credentialsOf(removed), HAS_CHUNKS), status.PERMISSION_DENIED);
    for (const path of ['/couchdb/network', '/couchdb/_all_dbs']) {
      assert.equal((await ask(as(undefined, path))).status, 401);
      assert.equal((await ask(as(foreign, path))).status, 401);
      assert.equal((await ask(as(expired, path))).status, 401);
      assert.ok([403, 404].includes((await ask(as(removed, path))).status));
    }
    assert.equal((await ask(as(removed, '/couchdb/network'))).status, 403);
    assert.equal(stage.couch.seen.length, 0);
  });

  it('refuses a removed member at once, on its open connection too', async () => {
    const leaver = await stage.network.peer();
    await using store = open(leaver);
    await store.has([parseChunkId('ab'.repeat(32))], { signal });
    assert.equal((await ask(as(leaver, '/couchdb/network'))).status, 200);
    stage.removed.add(leaver.id);
    await assert.rejects(store.has([parseChunkId('ab'.repeat(32))], { signal }), code('PERMISSION_DENIED'));
    assert.equal((await ask(as(leaver, '/couchdb/network'))).status, 403);
  });

  it('believes no identity that a caller claims', async () => {
    const claimed = escapeCertificate(stage.member.tls.certificate);
    for (const name of [CERTIFICATE_HEADER, 'x_shoal_client_certificate']) {
      for (const values of [[claimed], [claimed, claimed], ['', claimed]]) {
        const metadata = new Metadata();
        for (const value of values) metadata.add(name, value);
        metadata.add('authorization', 'Basic YWRtaW46YWRtaW4=');
        assert.equal(await statusOf(stage.port, anonymous(), HAS_CHUNKS, metadata), status.UNAUTHENTICATED);
        assert.equal(
          await statusOf(stage.port, credentialsOf(removed), HAS_CHUNKS, metadata),
          status.PERMISSION_DENIED,
        );
        assert.equal(await statusOf(stage.port, credentialsOf(stage.member), HAS_CHUNKS, metadata), status.OK);
      }
    }
    const headers = { [CERTIFICATE_HEADER]: claimed };
    assert.equal((await ask(as(undefined, '/couchdb/network', { headers }))).status, 401);
    assert.equal((await ask(as(removed, '/couchdb/network', { headers }))).status, 403);
    assert.equal((await ask(as(undefined, '/enrol/hello', { headers }))).status, 200);
    assert.equal(stage.enrolled.at(-1)?.certificate, undefined);
  });

  it('asks CouchDB as the peer that asks, and as nobody it claims to be', async () => {
    const headers = {
      'X-Auth-CouchDB-UserName': 'admin',
      'x-auth-couchdb-roles': '_admin',
      'X-Auth-CouchDB-Token': 'ff',
      Authorization: 'Basic YWRtaW46YWRtaW4=',
      Cookie: 'AuthSession=1',
      'X-Forwarded-For': '127.0.0.1',
      [CERTIFICATE_HEADER]: escapeCertificate(stage.authority.tls.certificate),
      'X-Shoal-Path': '/_all_dbs',
      'X-Shoal-Uri': '/couchdb/stripes',
      'Content-Type': 'application/json',
      Host: 'elsewhere',
    };
    const method = 'POST';
    const answer = await ask(as(stage.member, '/couchdb/network/_bulk_docs', { method, headers }), '{"docs":[]}');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"ok":true}');
    const [seen] = stage.couch.seen;
    assert.equal(seen?.url, '/network/_bulk_docs');
    assert.equal(seen.body, '{"docs":[]}');
    const names = Object.keys(seen.headers).filter(
      (name) => !['connection', 'transfer-encoding', 'content-length'].includes(name),
    );
    assert.deepEqual(names.sort(), [
      'content-type',
      'host',
      'x-auth-couchdb-roles',
      'x-auth-couchdb-token',
      'x-auth-couchdb-username',
    ]);
    const name = `peer-${stage.member.id}`;
    assert.equal(seen.headers.host, 'localhost');
    assert.equal(seen.headers['x-auth-couchdb-username'], name);
    assert.equal(seen.headers['x-auth-couchdb-roles'], 'shoal-peer');
    assert.equal(seen.headers['x-auth-couchdb-token'], proxyToken(SECRET, name));
    await ask(as(stage.authority, '/couchdb/network'));
    assert.equal(stage.couch.seen[1]?.headers['x-auth-couchdb-roles'], 'shoal-peer,shoal-authority');
  });

  it('lets nobody at what is not replicated', async () => {
    const refused: readonly (readonly [method: string, path: string])[] = [
      ['GET', '/couchdb/_all_dbs'],
      ['GET', '/couchdb/_users'],
      ['GET', '/couchdb/_users/_all_docs'],
      ['GET', '/couchdb/_config'],
      ['GET', '/couchdb/_node/_local/_config'],
      ['GET', '/couchdb/_utils/'],
      ['GET', '/couchdb/'],
      ['GET', '/couchdb/other/_all_docs'],
      ['GET', '/couchdb/user-abc-1'],
      ['PUT', `/couchdb/user-${USER}-2`],
      ['DELETE', '/couchdb/network'],
      ['PUT', '/couchdb/network/_security'],
      ['POST', '/couchdb/network/_purge'],
      ['GET', '/couchdb/network/../_users'],
      ['GET', '/couchdb/network/%2e%2e/_users'],
      ['GET', '/couchdb/network%2f..%2f_users'],
      ['GET', '/couchdb//network'],
      ['GET', '/enrol/../couchdb/network'],
      ['GET', '/couchdb/network/_changes?feed=continuous'],
      ['TRACE', '/couchdb/network'],
      ['PROPFIND', '/couchdb/network'],
    ];
    for (const [method, path] of refused) {
      const answer = await ask(as(stage.member, path, { method }));
      assert.ok([400, 404, 405].includes(answer.status), `${method} ${path}: ${String(answer.status)}`);
    }
    assert.deepEqual(stage.couch.seen, []);
  });

  it('passes on no body that the other side would take for a request', async () => {
    const smuggled = 'PUT /network/_security HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n';
    const headers = { 'transfer-encoding': 'chunked' };
    await ask(as(stage.member, '/couchdb/network', { headers }), smuggled);
    assert.deepEqual(
      stage.couch.seen.filter(({ method }) => method !== 'GET'),
      [],
    );
  });

  it('knows no other path, method or service, and does not say what is running here', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/metrics'],
      ['GET', '/enrol'],
      ['GET', '/-/front-auth'],
      ['POST', HAS_CHUNKS],
      ['GET', '/shoal.v1.FileSender/SendChunk'],
      ['GET', '/shoal.v1.DbService/GetUser'],
    ] as const) {
      const { status: code, headers, body } = await ask(as(stage.member, path, { method }));
      assert.equal(code, 404, `${method} ${path}`);
      assert.doesNotMatch(`${JSON.stringify(headers)} ${body}`, /\d+\.\d+\.\d+|debian|node|express|couch/i);
    }
    for (const path of ['/shoal.v1.DbService/GetUser', '/shoal.v1.FileReceiver/Nothing', '/x.Y/Z']) {
      assert.equal(await statusOf(stage.port, credentialsOf(stage.member), path), status.UNIMPLEMENTED, path);
    }
    const answer = await ask(as(stage.member, '/couchdb/network'));
    assert.doesNotMatch(JSON.stringify(answer.headers), /\d+\.\d+\.\d+|request-id/i);
    assert.notEqual((await ask(as(stage.member, '/enrol/hello', { method: 'PUT' }))).status, 200);
    assert.deepEqual(stage.enrolled, []);
  });

  it('lets anyone at /enrol/, with the certificate where there is one', async () => {
    const joiner = await ask(as(undefined, '/enrol/hello?a=1', { method: 'POST' }), '{"csr":1}');
    assert.equal(joiner.status, 200);
    assert.equal(joiner.body, '{"welcome":true}');
    await ask(as(removed, '/enrol/renew', { method: 'POST' }));
    const [first, second] = stage.enrolled;
    assert.deepEqual(first, { url: '/enrol/hello?a=1', body: '{"csr":1}', certificate: undefined });
    assert.deepEqual(Buffer.from(second?.certificate ?? []), Buffer.from(removed.certificate));
  });

  it('bounds what it takes: headers and bodies', async () => {
    const headers = { 'x-large': 'x'.repeat(20_000) };
    for (const path of ['/couchdb/network', '/enrol/hello']) {
      const large = await ask(as(stage.member, path, { headers })).catch((error: unknown) => error);
      assert.ok(large instanceof Error || (large as Answer).status >= 400, path);
    }
    const metadata = new Metadata();
    metadata.set('x-large', 'x'.repeat(20_000));
    assert.notEqual(await statusOf(stage.port, credentialsOf(stage.member), HAS_CHUNKS, metadata), status.OK);
    const flood = 'x'.repeat(9 * MIB);
    const bulk = as(stage.member, '/couchdb/network/_bulk_docs', { method: 'POST' });
    for (const transfer of [{}, { 'transfer-encoding': 'chunked' }]) {
      const said = await ask({ ...bulk, headers: transfer }, flood).catch((error: unknown) => error);
      assert.ok(said instanceof Error || (said as Answer).status === 413);
    }
    assert.deepEqual(stage.couch.seen, []);
    assert.equal(await statusOf(stage.port, credentialsOf(stage.member), HAS_CHUNKS), status.OK);
  });

  it('bounds the requests of one address that may be anyone', async () => {
    const answers: number[] = [];
    // A bound by address counts all that came before, too.
    for (let each = 0; each < 60; each++) answers.push((await ask(as(undefined, '/enrol/hello'))).status);
    assert.equal(answers.at(-1), 503);
    assert.ok(answers.includes(200));
    assert.equal(await statusOf(stage.port, credentialsOf(stage.member), HAS_CHUNKS), status.OK);
  });

  it('gives up on clients that are slow on purpose', async () => {
    // Before a reload or a kill, which would end them, too.
    await slow;
  });

  it('changes its certificate in the middle of a put, which goes on', async () => {
    const renewed = await stage.network.renew(stage.host);
    await using store = open();
    const { content, header, grant } = offer(stage.member);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const source = new WatchedSource(content, async (segment) => {
      if (segment.index === 8) await released;
      return segment;
    });
    const put = store.put(header, source.source, { signal, grant });
    await until(() => stage.received >= 4);
    await stage.renew(renewed.tls);
    await until(async () => (await shownBy(stage)).equals(Buffer.from(renewed.certificate)));
    release();
    assert.equal((await put).existed, false);
    assert.equal(source.asked.length, 1, 'in one transfer');
    await using anew = open();
    assert.equal((await anew.has([header.id], { signal })).size, 1);
  });

  if (kind !== 'in the process') {
    it('is killed in the middle of a put, which resumes', async () => {
      await using store = open();
      const { content, header, grant } = offer(stage.member);
      const source = new WatchedSource(content, (segment) =>
        segment.index < 16 ? segment : new Promise(() => undefined),
      );
      const put = assert.rejects(store.put(header, source.source, { signal, grant }), code('UNAVAILABLE'));
      await until(() => stage.received >= 12);
      await stage.killFront();
      await put;
      await until(async () => await listens(stage.port));
      const rest = new WatchedSource(content);
      await using anew = open();
      assert.equal((await anew.put(header, rest.source, { signal, grant })).existed, false);
      assert.ok((rest.asked[0]?.length ?? SEGMENTS) <= SEGMENTS - 12, `asked for ${String(rest.asked[0]?.length)}`);
    });
  }

  if (kind !== 'in the process') {
    it('says which service is not there, and carries on with the others', async () => {
      await using store = open();
      await stage.stopSender();
      for (let each = 0; each < 2; each++) {
        await assert.rejects(store.get(parseChunkId('ab'.repeat(32)), { signal }), (error: unknown) => {
          assert.ok(code('UNAVAILABLE')(error));
          return /The File Sender .*does not answer.*`shoal serve file-sender`/.test(String(error));
        });
      }
      assert.equal((await store.has([parseChunkId('ab'.repeat(32))], { signal })).size, 0);
    });
  }
}
