/** The HTTP API on TCP of a real peer among three. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { seededBytes } from '../../../test/e2e/programs/seeded.js';
import { PASSPHRASE, Planet } from '../../../test/planet/planet.js';
import { answerTo, problemIn, WebCaller } from '../../../test/planet/web-caller.js';
import type { EntryReply, PutReply, StatusReply } from '../http/api.js';
import type {
  ActivityReply,
  HistoryReply,
  PolicyReply,
  SessionReply,
  SettingReply,
  TokenReply,
  TransferReply,
  WebSessionReply,
} from '../http/web-api.js';

const BYTES = seededBytes('web', 300_000);
const TUS = { 'tus-resumable': '1.0.0' };

describe('the web server', () => {
  let planet: Planet;
  let caller: WebCaller;

  before(async () => {
    planet = await Planet.open({ peers: 3, web: true });
    caller = new WebCaller(planet.peer(1).webPort ?? 0);
    await caller.signIn('demo', PASSPHRASE);
  });
  after(() => planet[Symbol.asyncDispose]());

  const put = (path: string, bytes: Uint8Array, headers: Record<string, string> = {}): ReturnType<WebCaller['ask']> =>
    caller.ask('PUT', `/api/v1/content?path=${encodeURIComponent(path)}`, { bytes, headers });

  it('says who is signed in, and does not mind when nobody is', async () => {
    const session = await caller.json<SessionReply>('GET', '/api/v1/session');
    assert.deepEqual([session.user?.name, session.setup, session.csrf], ['demo', false, caller.csrf]);
    const stranger = await new WebCaller(caller.port).json<SessionReply>('GET', '/api/v1/session');
    assert.deepEqual([stranger.user, stranger.csrf, stranger.expires], [null, null, null]);
  });

  it('stores a file, lists it, and sends it', async () => {
    const stored = await put('/a/file.bin', BYTES);
    assert.equal(stored.status, 200, stored.body.toString());
    const { version } = JSON.parse(stored.body.toString()) as PutReply;
    assert.equal(stored.headers.etag, `"${version}"`);
    const entries = await caller.json<EntryReply[]>('GET', '/api/v1/entries?path=/a');
    assert.deepEqual(
      entries.map(({ path, bytes }) => [path, bytes]),
      [['/a/file.bin', BYTES.length]],
    );
    const got = await caller.ask('GET', '/api/v1/content?path=/a/file.bin');
    assert.ok(got.body.equals(BYTES));
    assert.equal(got.headers['content-disposition'], `attachment; filename="file.bin"; filename*=UTF-8''file.bin`);
    const status = await caller.json<StatusReply>('GET', '/api/v1/status');
    assert.equal(status.safety?.stripes, 1);
  });

  it('lists big folders by pages, in the order that is asked for', async () => {
    for (const [name, size] of [
      ['10.txt', 5],
      ['2.txt', 9],
      ['1.txt', 7],
    ] as const) {
      await put(`/pages/${name}`, BYTES.subarray(0, size));
    }
    await caller.ask('POST', '/api/v1/folders', { json: { path: '/pages/z' } });
    const page = async (query: string): Promise<string[]> => {
      const answer = await caller.ask('GET', `/api/v1/entries?path=/pages&${query}`);
      assert.equal(answer.headers['x-shoal-total'], '4');
      return (JSON.parse(answer.body.toString()) as EntryReply[]).map(({ path }) => path.slice(7));
    };
    assert.deepEqual(await page('order=name'), ['z', '1.txt', '2.txt', '10.txt']);
    assert.deepEqual(await page('order=bytes&descending=true&limit=2'), ['z', '2.txt']);
    assert.deepEqual(await page('order=bytes&offset=1&limit=2'), ['10.txt', '1.txt']);
    assert.deepEqual(await page('offset=4'), []);
  });

  it('finds by parts of names, whatever their case and accents', async () => {
    await put('/search/Übung Eins.TXT', BYTES.subarray(0, 3));
    for (const text of ['übung', 'eins ub', 'UBUNG']) {
      const found = await caller.json<EntryReply[]>('GET', `/api/v1/search?text=${encodeURIComponent(text)}`);
      assert.deepEqual(
        found.map(({ path }) => path),
        ['/search/Übung Eins.TXT'],
        text,
      );
    }
    assert.deepEqual(await caller.json('GET', '/api/v1/search?text=nothing-like-it'), []);
  });

  describe('conditions', () => {
    let tag: string;

    before(async () => {
      tag = String((await put('/conditions', BYTES)).headers.etag);
    });

    it('save a client what it has', async () => {
      const answer = await caller.ask('GET', '/api/v1/content?path=/conditions', { headers: { 'if-none-match': tag } });
      assert.deepEqual([answer.status, answer.body.length], [304, 0]);
    });

    it('keep ranges of two versions apart', async () => {
      const range = { range: 'bytes=10-19' };
      const same = await caller.ask('GET', '/api/v1/content?path=/conditions', {
        headers: { ...range, 'if-range': tag },
      });
      assert.deepEqual([same.status, same.body.length], [206, 10]);
      const other = { ...range, 'if-range': '"another"' };
      const whole = await caller.ask('GET', '/api/v1/content?path=/conditions', { headers: other });
      assert.deepEqual([whole.status, whole.body.length], [200, BYTES.length]);
    });

    it('tell what ranges there are', async () => {
      const answer = await caller.ask('GET', '/api/v1/content?path=/conditions', {
        headers: { range: 'bytes=999999-' },
      });
      assert.deepEqual([answer.status, answer.headers['content-range']], [416, `bytes */${String(BYTES.length)}`]);
    });

    it('keep one writer from overwriting another', async () => {
      assert.equal((await put('/conditions', BYTES, { 'if-none-match': '*' })).status, 412);
      assert.equal((await put('/conditions', BYTES, { 'if-match': '"another"' })).status, 412);
      assert.equal((await put('/new', BYTES, { 'if-none-match': '*' })).status, 200);
      assert.equal((await put('/conditions', BYTES, { 'if-match': tag })).status, 200);
    });

    it('let one of many writers win that have seen the same version', async () => {
      const seen = String((await put('/contended', BYTES)).headers.etag);
      for (const condition of [{ 'if-match': seen }, { 'if-none-match': '*' }]) {
        const path = 'if-match' in condition ? '/contended' : '/contended-new';
        const answers = await Promise.all(Array.from({ length: 8 }, () => put(path, BYTES.subarray(1), condition)));
        const statuses = answers.map(({ status }) => status).sort();
        assert.deepEqual(statuses, [200, ...Array.from({ length: 7 }, () => 412)], path);
      }
      assert.equal((await caller.json<unknown[]>('GET', '/api/v1/versions?path=/contended')).length, 2);
    });

    it('are looked at again when all bytes are there', async () => {
      const path = '/api/v1/content?path=/raced';
      const slow = caller.open('PUT', path, { 'if-none-match': '*', 'content-type': 'application/octet-stream' });
      slow.write(BYTES);
      // The slow one has been admitted when its transfer is shown.
      for (let shown = false; !shown;) {
        const transfers = await caller.json<TransferReply[]>('GET', '/api/v1/transfers');
        shown = transfers.some((one) => one.path === '/raced' && one.state === 'running');
      }
      assert.equal((await put('/raced', BYTES)).status, 200);
      slow.end();
      const late = await answerTo(slow);
      assert.deepEqual([late.status, problemIn(late).code], [412, 'PRECONDITION_FAILED']);
      assert.equal((await caller.json<unknown[]>('GET', '/api/v1/versions?path=/raced')).length, 1);
    });

    it('answer HEAD without the bytes', async () => {
      const { status, headers, body } = await caller.ask('HEAD', '/api/v1/content?path=/conditions');
      assert.deepEqual([status, headers['content-length'], body.length], [200, String(BYTES.length), 0]);
    });
  });

  it('sends folders as one zip file', async () => {
    await put('/zip/one.bin', BYTES);
    await put('/zip/deep/two ä.txt', BYTES.subarray(0, 100));
    await put('/zip/..\\C:\\three', BYTES.subarray(0, 10));
    const { status, headers, body } = await caller.ask('GET', '/api/v1/archive?path=/zip');
    assert.deepEqual([status, headers['content-type']], [200, 'application/zip']);
    assert.match(String(headers['content-disposition']), /^attachment; filename="zip\.zip"/);
    assert.equal(body.readUInt32LE(0), 0x04034b50);
    // Stored, not compressed: the bytes are there as they are.
    assert.ok(body.includes(Buffer.from(BYTES)) && body.includes('zip/deep/two ä.txt'));
    assert.ok(body.includes('zip/.._C:_three'), 'what is no name elsewhere is made one');
    assert.equal((await caller.ask('GET', '/api/v1/archive?path=/nowhere')).status, 404);
  });

  it('has tokens for programs, which can be less than their user', async () => {
    const token = async (scope: string): Promise<WebCaller> => {
      const request = { name: `test ${scope}`, scope, days: 1 };
      const made = await caller.json<TokenReply>('POST', '/api/v1/tokens', { json: request });
      const program = new WebCaller(caller.port);
      program.authorization = `Bearer ${made.token}`;
      return program;
    };
    const all = await token('all');
    assert.equal((await all.ask('PUT', '/api/v1/content?path=/by-token', { bytes: BYTES })).status, 200);
    const read = await token('read');
    assert.equal((await read.ask('GET', '/api/v1/content?path=/by-token')).status, 200);
    assert.equal((await read.ask('PUT', '/api/v1/content?path=/by-token', { bytes: BYTES })).status, 403);
    const upload = await caller.ask('HEAD', `/api/v1/uploads/${'0'.repeat(32)}`, { headers: TUS });
    assert.equal(upload.status, 404);
    assert.equal((await read.ask('HEAD', `/api/v1/uploads/${'0'.repeat(32)}`, { headers: TUS })).status, 403);
    const more = { name: 'more', scope: 'all', days: 1 };
    assert.equal((await all.ask('POST', '/api/v1/tokens', { json: more })).status, 403);
    const metrics = await token('metrics');
    assert.equal((await metrics.ask('GET', '/api/v1/status')).status, 403);
    const sessions = await caller.json<WebSessionReply[]>('GET', '/api/v1/sessions');
    const [current] = sessions.filter((one) => one.current);
    assert.deepEqual([current?.kind, sessions.filter(({ kind }) => kind === 'token').length], ['browser', 3]);
    const id = sessions.find(({ name }) => name === 'test all')?.id ?? '';
    const page = all.open('GET', '/api/v1/events');
    page.end();
    const [events] = (await once(page, 'response')) as [IncomingMessage];
    assert.equal((await caller.ask('DELETE', `/api/v1/sessions?id=${id}`)).status, 204);
    assert.match(await text(events), /event: session\ndata: .*UNAUTHENTICATED/);
    assert.equal((await all.ask('GET', '/api/v1/status')).status, 401);
  });

  it('tells open pages of transfers, of folders that have changed, and of the end of the session', async () => {
    const page = new WebCaller(caller.port);
    await page.signIn('demo', PASSPHRASE);
    const request = page.open('GET', '/api/v1/events');
    let said = '';
    const heard = async (what: RegExp): Promise<void> => {
      while (!what.test(said)) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const ended = new Promise<void>((resolve) => {
      request.on('response', (response) => {
        response.setEncoding('utf8');
        response.on('data', (text: string) => (said += text));
        response.on('end', resolve);
      });
    });
    request.end();
    await heard(/event: status\n/);
    await put('/told/of', BYTES);
    await heard(/event: transfer\ndata: .*"path":"\/told\/of".*"state":"done"/);
    await heard(/event: entries\ndata: \{"path":"\/(told)?"\}/);
    assert.equal((await page.ask('DELETE', '/api/v1/session')).status, 204);
    await ended;
    assert.match(said, /event: session\n/);
  });

  it('shows settings, and writes them for the next start', async () => {
    const settings = await caller.json<SettingReply[]>('GET', '/api/v1/settings');
    const drain = settings.find(({ name }) => name === 'drainSeconds');
    assert.deepEqual([drain?.value, drain?.source, drain?.restart, drain?.changeable], [10, 'default', false, true]);
    assert.equal(settings.find(({ name }) => name === 'workers')?.source, 'environment');
    const after = await caller.json<SettingReply[]>('PATCH', '/api/v1/settings', { json: { drainSeconds: 30 } });
    assert.equal(after.find(({ name }) => name === 'drainSeconds')?.restart, true);
    for (const [changes, status] of [
      [{ drainSeconds: -1 }, 400],
      [{ nothing: 1 }, 400],
      [{ workers: 2 }, 403],
      [{ webHosts: ['evil.example'] }, 403],
    ] as const) {
      assert.equal((await caller.ask('PATCH', '/api/v1/settings', { json: changes })).status, status);
    }
    await caller.json('PATCH', '/api/v1/settings', { json: { drainSeconds: null } });
    const file = JSON.parse(await readFile(join(planet.home(1), 'config.json'), 'utf8')) as object;
    assert.equal(Object.hasOwn(file, 'drainSeconds'), false);
  });

  it('shows the policy of the network, and changes it within what its peers allow', async () => {
    const policy = { tolerate: null, k: 2, m: 1, mostTolerated: 1, changeable: true };
    assert.deepEqual(await caller.json<PolicyReply>('GET', '/api/v1/policy'), policy);
    const set = (tolerate: number | null): ReturnType<WebCaller['ask']> =>
      caller.ask('POST', '/api/v1/policy', { json: { tolerate } });
    assert.equal(problemIn(await set(2)).code, 'TOO_FEW_PEERS');
    assert.deepEqual(JSON.parse((await set(1)).body.toString()), { ...policy, tolerate: 1 });
    assert.deepEqual(JSON.parse((await set(null)).body.toString()), policy);
  });

  it('has a history and a list of what happened', async () => {
    const { series } = await caller.json<HistoryReply>('GET', '/api/v1/history?series=files,putBytes');
    assert.deepEqual(
      series.map(({ name, unit }) => [name, unit]),
      [
        ['files', 'files'],
        ['putBytes', 'bytes/s'],
      ],
    );
    const activity = await caller.json<ActivityReply[]>('GET', '/api/v1/activity?limit=500');
    assert.ok(activity.some(({ kind, text }) => kind === 'signed-in' && text.startsWith('demo ')));
  });

  it('names what is not there', async () => {
    const answer = await caller.ask('GET', '/api/v1/nothing');
    assert.deepEqual([answer.status, problemIn(answer).code], [404, 'NOT_FOUND']);
    assert.equal((await caller.ask('POST', '/api/v1/imports', { bytes: BYTES })).status, 404);
    assert.equal((await caller.ask('POST', '/api/v1/exports', { json: {} })).status, 404);
  });
});
