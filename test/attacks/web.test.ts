/** What pages of other sites, other programs of the machine and stored files try at the web server of a real peer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ProblemReply } from '../../src/gateways/http/api.js';
import type { UserReply } from '../../src/gateways/http/user-api.js';
import { FREE_UNLOCK_ATTEMPTS, MAX_EVENT_STREAMS_OF_ONE } from '../../src/limits.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { PASSPHRASE, Planet } from '../planet/planet.js';
import { answerTo, problemIn, WebCaller, type WebAnswer, type WebCall } from '../planet/web-caller.js';

const BYTES = seededBytes('attacks', 100_000);
const FOREIGN = 'http://evil.example';

describe('the web server, attacked', () => {
  let planet: Planet;
  let victim: WebCaller;
  /** Sends the head of a request byte by byte, and never the end of it; settled when it is thrown out. */
  let dripping: Promise<string>;

  before(async () => {
    planet = await Planet.open({ peers: 3, web: true });
    victim = new WebCaller(planet.peer(1).webPort ?? 0);
    await victim.signIn('demo', PASSPHRASE);
    dripping = drip(victim.port);
    await put('/file', BYTES);
  });
  after(() => planet[Symbol.asyncDispose]());

  const put = (path: string, bytes: Uint8Array): Promise<WebAnswer> =>
    victim.ask('PUT', `/api/v1/content?path=${encodeURIComponent(path)}`, { bytes });
  const read = (query: string): Promise<WebAnswer> => victim.ask('GET', `/api/v1/content?${query}`);

  function assertRefused(answer: WebAnswer, status: number, what: string): void {
    assert.equal(answer.status, status, `${what}: ${answer.body.toString()}`);
    assert.equal(answer.headers['access-control-allow-origin'], undefined, what);
  }

  it('by pages of other sites that make the browser ask: CSRF', async () => {
    const json = { path: '/made-by-evil' };
    for (const [what, headers] of [
      ['no token', { 'x-shoal-csrf': undefined }],
      ['a wrong token', { 'x-shoal-csrf': 'x'.repeat(43) }],
      ['a form of another site', { origin: FOREIGN, 'sec-fetch-site': 'cross-site', 'x-shoal-csrf': undefined }],
      ['another site that knows the token', { origin: FOREIGN, 'sec-fetch-site': 'cross-site' }],
      ['another port of this machine', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
      ['a page in a sandbox', { origin: 'null' }],
      ['an old browser', { origin: FOREIGN, 'sec-fetch-site': undefined }],
    ] as const) {
      assertRefused(await victim.ask('POST', '/api/v1/folders', { json, headers }), 403, what);
    }
    const other = new WebCaller(victim.port);
    await other.signIn('demo', PASSPHRASE);
    const headers = { 'x-shoal-csrf': other.csrf };
    assertRefused(await victim.ask('POST', '/api/v1/folders', { json, headers }), 403, 'the token of another browser');
    assert.equal((await victim.ask('GET', '/api/v1/stat?path=/made-by-evil')).status, 404);
  });

  it('by pages of other sites that read', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: FOREIGN };
    assertRefused(await victim.ask('GET', '/api/v1/status', { headers }), 403, 'a script');
    const image = { 'sec-fetch-site': 'cross-site' };
    assertRefused(await victim.ask('GET', '/api/v1/content?path=/file', { headers: image }), 403, 'a picture');
    const preflight = { origin: FOREIGN, 'access-control-request-method': 'PUT' };
    assertRefused(await victim.ask('OPTIONS', '/api/v1/content?path=/file', { headers: preflight }), 403, 'a question');
  });

  it('by a page that signs its visitor in as somebody else', async () => {
    const stranger = new WebCaller(victim.port);
    const json = { name: 'demo', passphrase: PASSPHRASE };
    const headers = { origin: FOREIGN, 'sec-fetch-site': 'cross-site' };
    const answer = await stranger.ask('POST', '/api/v1/session', { json, headers });
    assertRefused(answer, 403, 'signing in');
    assert.equal(answer.headers['set-cookie'], undefined);
  });

  it('by a name that was made to lead here: DNS rebinding', async () => {
    for (const host of ['evil.example', `evil.example:${String(victim.port)}`, '127.0.0.1.evil.example', '']) {
      for (const path of ['/api/v1/session', '/', '/api/docs/']) {
        assertRefused(await victim.ask('GET', path, { headers: { host } }), 403, `${host} ${path}`);
      }
    }
    assert.equal((await victim.ask('GET', '/api/v1/session', { headers: { host: 'localhost' } })).status, 200);
  });

  it('by a cookie that was taken to another name of the machine', async () => {
    const elsewhere = { headers: { host: `localhost:${String(victim.port)}` } };
    assertRefused(await victim.ask('GET', '/api/v1/status', elsewhere), 401, 'another name');
    assert.equal((await victim.ask('GET', '/api/v1/status')).status, 200);
  });

  it('by whoever has nothing, or something made up', async () => {
    for (const headers of [
      { cookie: undefined },
      { cookie: victim.cookie?.replace(/=.*/, '=AAAA') },
      { cookie: undefined, authorization: `Bearer ${'A'.repeat(43)}` },
      { cookie: undefined, authorization: 'Basic ZGVtbzpkZW1v' },
      // Whoever sends a token means it: the cookie does not help a wrong one.
      { authorization: `Bearer shoal_${'A'.repeat(43)}` },
    ]) {
      assertRefused(await victim.ask('GET', '/api/v1/status', { headers }), 401, JSON.stringify(headers));
    }
  });

  it('by stored pages and pictures that are programs', async () => {
    const evil = Buffer.from('<script>fetch("/api/v1/status")</script>');
    for (const name of ['x.html', 'x.svg', 'x.xhtml', 'x.xml', 'x.htm', 'x.js.html', 'x.pdf.svg', 'x', 'x.mht']) {
      await put(`/evil/${name}`, evil);
      for (const query of ['', '&disposition=inline']) {
        const { headers } = await read(`path=/evil/${name}${query}`);
        assert.equal(headers['content-type'], 'application/octet-stream', name);
        assert.match(String(headers['content-disposition']), /^attachment;/, name);
        assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/, name);
        assert.equal(headers['x-content-type-options'], 'nosniff', name);
      }
    }
    await put('/evil/x.png', evil);
    const { headers } = await read('path=/evil/x.png&disposition=inline');
    assert.deepEqual([headers['content-type'], headers['x-content-type-options']], ['image/png', 'nosniff']);
    assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'/);
    await put('/evil/x.pdf', evil);
    const pdf = (await read('path=/evil/x.pdf&disposition=inline')).headers;
    assert.match(String(pdf['content-security-policy']), /^default-src 'none'; object-src 'self'/);
  });

  it('by names that are headers', async () => {
    const name = `a"; filename=evil.html; x="ü\u202e%0d%0aSet-Cookie: a=b.txt`;
    assert.equal((await put(`/names/${name}`, BYTES)).status, 200);
    const answer = await read(`path=${encodeURIComponent(`/names/${name}`)}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['set-cookie'], undefined);
    const [, plain = '', exact = ''] =
      /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''([\w%.~-]*)$/.exec(
        String(answer.headers['content-disposition']),
      ) ?? [];
    assert.ok(plain.startsWith('a_; filename=evil.html'), plain);
    assert.equal(decodeURIComponent(exact), name);
    for (const broken of ['/a\r\nSet-Cookie: a=b', '/a\0b', '/../etc/passwd', '/a/../../b', `/${'x'.repeat(300)}`]) {
      assert.equal((await put(broken, BYTES)).status, 400, JSON.stringify(broken));
    }
  });

  it('by paths that lead out of its files', async () => {
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/assets/../../package.json',
    ]) {
      const { status, body } = await victim.ask('GET', path);
      assert.ok(status === 404 || !body.includes('"dependencies"'), path);
      assert.ok(!body.includes('"devDependencies"'), path);
    }
  });

  it('by frames of other sites', async () => {
    const { headers } = await victim.ask('GET', '/');
    assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self';/);
  });

  it('by bodies and heads that are too large, or none of what they say', async () => {
    const huge = { json: { path: 'x'.repeat(5 * 1024 * 1024) } };
    assertRefused(await victim.ask('POST', '/api/v1/folders', huge), 413, 'a body');
    const head = { headers: { 'x-long': 'x'.repeat(40 * 1024) } };
    assertRefused(await victim.ask('GET', '/api/v1/session', head), 431, 'a head');
    const text = victim.open('POST', '/api/v1/folders', { 'content-type': 'text/plain' });
    text.end('{"path":"/as-text"}');
    assertRefused(await answerTo(text), 400, 'a form that is said to be text');
    const shorter = victim.open('PUT', '/api/v1/content?path=/shorter', {
      ...{ 'content-type': 'application/octet-stream', 'content-length': '1000' },
    });
    shorter.on('error', () => undefined);
    shorter.write(Buffer.alloc(10));
    await once(shorter, 'socket');
    shorter.destroy();
    assert.equal((await victim.ask('GET', '/api/v1/stat?path=/shorter')).status, 404);
  });

  it('by pages that are opened without end', async () => {
    const streams = Array.from({ length: MAX_EVENT_STREAMS_OF_ONE }, () => victim.open('GET', '/api/v1/events'));
    try {
      for (const stream of streams) {
        stream.on('error', () => undefined);
        stream.end();
        await once(stream, 'response');
      }
      const answer = await victim.ask('GET', '/api/v1/events');
      assert.equal(problemIn(answer).code, 'LIMIT_EXCEEDED');
    } finally {
      for (const stream of streams) stream.destroy();
    }
  });

  it('by whoever guesses passphrases and links', async () => {
    const guess = async (path: string, json: unknown): Promise<WebAnswer> => {
      const stranger = new WebCaller(victim.port);
      for (let n = 0; n < FREE_UNLOCK_ATTEMPTS; n++) {
        assertRefused(await stranger.ask('POST', path, { json }), 401, `guess ${String(n)}`);
      }
      return await stranger.ask('POST', path, { json });
    };
    for (const [path, json] of [
      ['/api/v1/session', { name: 'nobody', passphrase: 'guess' }],
      ['/api/v1/session/link', { link: 'guess' }],
    ] as const) {
      const answer = await guess(path, json);
      assertRefused(answer, 429, path);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
    }
    // Others are not held up by it.
    assert.equal((await new WebCaller(victim.port).signIn('demo', PASSPHRASE)).user?.name, 'demo');
  });

  it('by a user who acts for another one', async () => {
    const json = { name: 'eve', passphrase: 'a passphrase of eve' };
    await victim.json<UserReply>('POST', '/api/v1/users', { json });
    const eve = new WebCaller(victim.port);
    await eve.signIn('eve', json.passphrase);
    const asDemo: WebCall = { headers: { 'x-shoal-user': 'demo' } };
    assertRefused(await eve.ask('GET', '/api/v1/stat?path=/file', asDemo), 404, 'reading');
    assertRefused(await eve.ask('POST', '/api/v1/lock', { json: { name: 'demo' } }), 403, 'locking');
    const [mine] = await victim.json<readonly { readonly id: string; readonly current: boolean }[]>(
      'GET',
      '/api/v1/sessions',
    );
    assertRefused(await eve.ask('DELETE', `/api/v1/sessions?id=${mine?.id ?? ''}`), 404, 'signing out');
    assert.equal((await eve.json<readonly unknown[]>('GET', '/api/v1/sessions')).length, 1);
    await eve.ask('POST', '/api/v1/lock', { json: { name: 'eve' } });
    assertRefused(await eve.ask('GET', '/api/v1/status'), 401, 'a session of a user who is locked');
  });

  it('by a head that never ends', async () => {
    assert.match(await dripping, /^(HTTP\/1\.1 408 |$)/);
  });

  it('by a session that ends in the middle of an upload: nothing is stored', async () => {
    const upload = victim.open('PUT', '/api/v1/content?path=/late', { 'content-type': 'application/octet-stream' });
    const answering = answerTo(upload);
    upload.write(Buffer.from(BYTES));
    for (let running = false; !running;) {
      const transfers = await victim.json<readonly { readonly path: string }[]>('GET', '/api/v1/transfers');
      running = transfers.some(({ path }) => path === '/late');
    }
    assert.equal((await victim.ask('POST', '/api/v1/lock', { json: { name: 'demo' } })).status, 204);
    assertRefused(await victim.ask('GET', '/api/v1/status'), 401, 'after it has ended');
    upload.end();
    const { status, body } = await answering;
    assert.equal(status, 423, body.toString());
    assert.match((JSON.parse(body.toString()) as ProblemReply).message, /unlock/i);
    await victim.signIn('demo', PASSPHRASE);
    assert.equal((await victim.ask('GET', '/api/v1/stat?path=/late')).status, 404);
  });
});

async function drip(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  let said = '';
  socket.on('data', (text: string) => (said += text));
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
  const drops = setInterval(() => socket.write('x'), 200);
  await once(socket, 'close');
  clearInterval(drops);
  return said;
}
