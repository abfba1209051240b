/** Who a caller of a backup host is, and who is one no longer. Everything here is real; the caller is a member that lies. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { couchUserName, NETWORK_DATABASE, userDatabase } from '../../src/chunk/database-names.js';
import { proxyToken } from '../../src/crypto/proxy-token.js';
import { type PeerIdentity, readIdentity } from '../../src/home.js';
import { until } from '../replication/stage.js';
import { put } from '../planet/files.js';
import { PASSPHRASE, Planet } from '../planet/planet.js';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Peers 1 and 2 are backup hosts. Peer 3 lies. */
describe('the front of a backup host', () => {
  let planet: Planet;
  let liar: PeerIdentity;
  let catalog: string;

  before(async () => {
    planet = await Planet.open({ peers: 3, backupHosts: 2 });
    liar = await readIdentity(planet.home(3));
    catalog = userDatabase(planet.session.user, 1);
    await put(planet, '/file', new Uint8Array(1000));
    await until('peer 1 is provided', async () => (await ask(1, 'GET', `/${NETWORK_DATABASE}`)).status === 200);
  });
  after(() => planet[Symbol.asyncDispose]());

  /** A request to the port of a peer, with the certificate of peer 3. */
  function ask(
    n: number,
    method: string,
    path: string,
    more: { body?: unknown; headers?: object } = {},
  ): Promise<Answer> {
    const { key, certificate: cert, authority: ca } = liar.tls;
    const body = more.body === undefined ? '' : JSON.stringify(more.body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...more.headers };
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...{ host: '127.0.0.1', port: planet.peer(n).port, method, path: `/couchdb${path}`, headers },
          ...{ key, cert, ca, agent: false, ALPNProtocols: ['http/1.1'], checkServerIdentity: () => undefined },
        },
        (reply) => {
          const parts: Buffer[] = [];
          reply.on('data', (part: Buffer) => parts.push(part));
          reply.on('error', reject);
          reply.on('end', () => {
            resolve({ status: reply.statusCode ?? 0, text: Buffer.concat(parts).toString() });
          });
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /** What a peer would say of itself that is not the one that asks. */
  async function takeOver(headers: object): Promise<Answer> {
    const { text } = await ask(1, 'GET', `/${NETWORK_DATABASE}/peer-${planet.id(2)}?revs=true`);
    const { _revisions, ...held } = JSON.parse(text) as { _revisions: { start: number; ids: string[] } };
    const revisions = { start: _revisions.start + 1, ids: ['f'.repeat(32), ..._revisions.ids] };
    const forged = {
      ...held,
      signed: 'AAAA',
      _rev: `${String(revisions.start)}-${'f'.repeat(32)}`,
      _revisions: revisions,
    };
    return ask(1, 'POST', `/${NETWORK_DATABASE}/_bulk_docs`, { body: { docs: [forged], new_edits: false }, headers });
  }

  it('knows the caller by its certificate, whatever the headers say', async () => {
    const other = couchUserName(planet.id(2));
    const headers = [
      {},
      { 'X-Auth-CouchDB-UserName': other, 'X-Auth-CouchDB-Roles': 'shoal-peer,shoal-authority,_admin' },
      { 'x-auth-couchdb-username': other, 'x-auth-couchdb-token': proxyToken('', other) },
      { 'X-AUTH-COUCHDB-ROLES': '_admin' },
      { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}`, cookie: 'AuthSession=x' },
    ];
    for (const spoofed of headers) {
      const { status, text } = await takeOver(spoofed);
      assert.equal(status, 201, text);
      assert.match(text, /forbidden/, JSON.stringify(spoofed));
    }
    const { text } = await ask(1, 'GET', `/${NETWORK_DATABASE}/peer-${planet.id(2)}`);
    assert.notEqual((JSON.parse(text) as { signed: string }).signed, 'AAAA');
  });

  it('gives nobody the catalog of a user who is not at home there', async () => {
    await until('it is provided', async () => (await ask(1, 'GET', `/${catalog}`)).status !== 404);
    for (const path of ['', '/_changes', '/_all_docs?include_docs=true', '/_local/x']) {
      const { status, text } = await ask(1, 'GET', `/${catalog}${path}`, {
        headers: { 'x-auth-couchdb-roles': '_admin' },
      });
      assert.ok([401, 403].includes(status), `${path}: ${String(status)} ${text}`);
    }
    await planet.peer(3).sessions.unlock('demo', PASSPHRASE);
    await until('it is at home', async () => (await ask(1, 'GET', `/${catalog}`)).status === 200);
  });

  it('leads nowhere else', async () => {
    const paths = [
      '/_users',
      '/_all_dbs',
      '/_config',
      '/_node/_local/_config',
      `/${catalog}/_security`,
      '/',
      '/../_users',
    ];
    for (const path of paths) assert.equal((await ask(1, 'GET', path)).status, 404, path);
    assert.equal((await ask(1, 'PUT', `/${NETWORK_DATABASE}/_security`, { body: {} })).status, 404);
    assert.equal((await ask(1, 'PUT', `/${NETWORK_DATABASE}/_design/x`, { body: {} })).status, 404);
    assert.equal((await ask(1, 'DELETE', `/${NETWORK_DATABASE}`)).status, 404);
  });

  it('shuts a peer out as soon as its removal comes, also one that waits for changes', async () => {
    const { text } = await ask(2, 'GET', `/${NETWORK_DATABASE}/_changes`);
    const { last_seq: since } = JSON.parse(text) as { last_seq: string };
    assert.equal((await ask(2, 'GET', `/${catalog}/_changes?since=0`)).status, 200);
    const shutOut = waitUntilShutOut();
    await planet.engine.catalog.setPeerState(planet.id(3), 'removed');
    for (const n of [1, 2]) {
      await until('it is out', () => !planet.peer(n).engine.book.isMember(planet.id(3)));
      const { status } = await ask(n, 'GET', `/${NETWORK_DATABASE}/_changes?since=${since}`);
      assert.ok([401, 403].includes(status), String(status));
    }
    await shutOut;
    assert.equal(await planet.peer(3).engine.links.ping(planet.id(2), new AbortController().signal), undefined);
  });

  /** Waits for changes as a replication does, again and again, until that is ended or refused. */
  async function waitUntilShutOut(): Promise<void> {
    for (let status = 200; status === 200;) {
      try {
        ({ status } = await ask(2, 'GET', `/${catalog}/_changes?feed=longpoll&since=${await sequenceOf(2)}`));
      } catch {
        return; // the connection was cut
      }
    }
  }

  async function sequenceOf(n: number): Promise<string> {
    const { text } = await ask(n, 'GET', `/${catalog}/_changes`);
    return (JSON.parse(text) as { last_seq: string }).last_seq;
  }
});
