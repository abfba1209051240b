/** What becomes of sessions, and of what is under way in them, at the web server of a real peer: three peers, 2+1. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import type { PassphraseReply, RotationEvent } from '../../src/gateways/http/user-api.js';
import type { TokenReply, WebSessionReply } from '../../src/gateways/http/web-api.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored } from './files.js';
import { PASSPHRASE, Planet } from './planet.js';
import { answerTo, problemIn, WebCaller } from './web-caller.js';

const MIB = 1024 * 1024;
const BYTES = seededBytes('sessions', 12 * MIB + 5);
const TUS = { 'tus-resumable': '1.0.0' };
const PART = { ...TUS, 'content-type': 'application/offset+octet-stream' };

describe('a session of the web server', () => {
  let planet: Planet;
  let port: number;
  let caller: WebCaller;
  let passphrase = PASSPHRASE;

  before(async () => {
    planet = await Planet.open({ peers: 3, web: true });
    port = planet.peer(1).webPort ?? 0;
  });
  after(() => planet[Symbol.asyncDispose]());
  beforeEach(async () => {
    caller = await signedIn();
    planet.renewSession();
  });

  async function signedIn(): Promise<WebCaller> {
    const browser = new WebCaller(port);
    await browser.signIn('demo', passphrase);
    return browser;
  }

  async function program(scope = 'all'): Promise<WebCaller> {
    const json = { name: scope, scope, days: 1 };
    const one = new WebCaller(port);
    one.authorization = `Bearer ${(await caller.json<TokenReply>('POST', '/api/v1/tokens', { json })).token}`;
    return one;
  }

  async function linkOf(): Promise<string> {
    await using local = new ControlClient(planet.home(1), { signal: NEVER });
    return new URL((await local.webLink()).url).hash.replace('#link=', '');
  }

  async function statusOf(who: WebCaller, path = '/api/v1/entries?path=/'): Promise<number> {
    return (await who.ask('GET', path)).status;
  }

  async function create(path: string): Promise<string> {
    const headers = {
      ...TUS,
      'upload-length': String(BYTES.length),
      'upload-metadata': `path ${Buffer.from(path).toString('base64')}`,
    };
    const created = await caller.ask('POST', '/api/v1/uploads', { headers });
    assert.equal(created.status, 201, created.body.toString());
    return new URL(String(created.headers.location), 'http://localhost/api/v1/uploads').pathname;
  }

  /** Some of it has arrived, and nothing more comes for now. */
  async function begin(upload: string): Promise<ClientRequest> {
    const headers = { ...PART, 'upload-offset': '0', 'content-length': String(BYTES.length) };
    const patch = caller.open('PATCH', upload, headers);
    await new Promise((resolve) => patch.write(BYTES.subarray(0, 9 * MIB), resolve));
    const { drafts } = planet.engine;
    while (!(await drafts.list(planet.session)).some(({ active }) => active)) await delay(10);
    return patch;
  }

  async function goOn(upload: string): Promise<void> {
    const head = await caller.ask('HEAD', upload, { headers: TUS });
    assert.equal(head.status, 200);
    const offset = Number(head.headers['upload-offset']);
    const headers = { ...PART, 'upload-offset': String(offset) };
    const rest = await caller.ask('PATCH', upload, { bytes: BYTES.subarray(offset), headers });
    assert.equal(rest.status, 204, rest.body.toString());
  }

  it('that is locked in the middle of an upload ends it at once, and the upload goes on afterwards', async () => {
    const upload = await create('/locked');
    const answering = answerTo(await begin(upload));
    const other = await signedIn();
    assert.equal((await other.ask('POST', '/api/v1/lock', { json: { name: 'demo' } })).status, 204);
    const answer = await answering;
    assert.deepEqual([answer.status, problemIn(answer).code], [423, 'LOCKED']);
    caller = await signedIn();
    planet.renewSession();
    await goOn(upload);
    await assertStored(planet, '/locked', BYTES);
  });

  it('that has ended in the middle of an upload ends it, too', async () => {
    const upload = await create('/signed-out');
    const answering = answerTo(await begin(upload));
    const other = await signedIn();
    const sessions = await caller.json<WebSessionReply[]>('GET', '/api/v1/sessions');
    const id = sessions.find(({ current }) => current)?.id ?? '';
    assert.equal((await other.ask('DELETE', `/api/v1/sessions?id=${id}`)).status, 204);
    const answer = await answering;
    assert.deepEqual([answer.status, problemIn(answer).code], [401, 'UNAUTHENTICATED']);
    caller = other;
    await goOn(upload);
    await assertStored(planet, '/signed-out', BYTES);
  });

  it('takes what browsers send to the end before they read the answer', { timeout: 30_000 }, async () => {
    const head = [
      'PUT /api/v1/content?path=/whole HTTP/1.1',
      `Host: ${caller.host}`,
      `Cookie: ${caller.cookie ?? ''}`,
      `X-Shoal-Csrf: ${caller.csrf ?? ''}`,
      'Content-Type: application/octet-stream',
      `Content-Length: ${String(3 * BYTES.length)}`,
    ];
    const socket = connect(port, '127.0.0.1');
    const send = (bytes: Uint8Array | string): Promise<unknown> => new Promise((sent) => socket.write(bytes, sent));
    await send(`${head.join('\r\n')}\r\n\r\n`);
    await send(BYTES);
    await planet.peer(1).sessions.lock('demo');
    await send(BYTES);
    await send(BYTES);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 423 [^]*"LOCKED"/);
    socket.destroy();
  });

  it('of a user who is locked leaves nothing to the programs of that user but to be measured', async () => {
    const [all, metrics] = [await program(), await program('metrics')];
    assert.equal(await statusOf(all, '/api/v1/network'), 200);
    await planet.peer(1).sessions.lock('demo');
    for (const path of ['/api/v1/network', '/api/v1/settings', '/api/v1/users', '/api/v1/entries?path=/']) {
      assert.equal(await statusOf(all, path), 423, path);
    }
    assert.equal((await all.ask('POST', '/api/v1/invitations', { json: {} })).status, 423);
    assert.equal(await statusOf(metrics, '/api/v1/metrics'), 200);
  });

  it('ends with the passphrase that opened it; tokens stay, unless they are to end, too', async () => {
    const [other, token] = [await signedIn(), await program()];
    const link = await linkOf();
    const change = async (revokeTokens: boolean): Promise<PassphraseReply> => {
      const json = { name: 'demo', old: passphrase, next: `${passphrase}!`, revokeTokens };
      const reply = await caller.json<PassphraseReply>('POST', '/api/v1/users/passphrase', { json });
      passphrase = json.next;
      return reply;
    };
    const { tokens } = await change(false);
    assert.deepEqual(await Promise.all([caller, other, token].map((who) => statusOf(who))), [200, 401, 200]);
    assert.ok(tokens > 0);
    assert.equal((await other.ask('POST', '/api/v1/session/link', { json: { link } })).status, 401);
    assert.equal((await change(true)).tokens, 0);
    assert.deepEqual(await Promise.all([caller, token].map((who) => statusOf(who))), [200, 401]);
  });

  it('ends with the keys that were replaced', async () => {
    const [other, token] = [await signedIn(), await program()];
    const rotate = async (revokeTokens: boolean): Promise<readonly RotationEvent[]> => {
      const { status, body } = await caller.ask('POST', '/api/v1/keys', { json: { passphrase, revokeTokens } });
      assert.equal(status, 200);
      const lines = body.toString().trim().split('\n');
      return lines.map((line) => JSON.parse(line) as RotationEvent);
    };
    const [first, ...rest] = await rotate(false);
    assert.deepEqual(first, { event: 'replaced', tokens: 1 });
    assert.equal(rest.at(-1)?.event, 'done');
    assert.deepEqual(await Promise.all([caller, other, token].map((who) => statusOf(who))), [200, 401, 200]);
    assert.deepEqual((await rotate(true))[0], { event: 'replaced', tokens: 0 });
    assert.deepEqual(await Promise.all([caller, token].map((who) => statusOf(who))), [200, 401]);
  });
});
