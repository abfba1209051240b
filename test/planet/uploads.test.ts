/** Uploads by tus over a peer's control socket, with a client that others wrote, and by hand: three peers, 2+1. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DefaultHttpStack, Upload } from 'tus-js-client';
import { ControlClient } from '../../src/cli/control-client.js';
import type { ProblemReply, UploadReply } from '../../src/gateways/http/api.js';
import { socketPath } from '../../src/socket-path.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, paths } from './files.js';
import { PASSPHRASE, Planet } from './planet.js';

const MIB = 1024 * 1024;
const MODIFIED_MS = 1_700_000_000_123;
const TUS = { 'tus-resumable': '1.0.0' };
const BYTES = { 'content-type': 'application/offset+octet-stream' };

function metadata(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly problem: ProblemReply | undefined;
}

describe('an upload by tus', () => {
  const bytes = seededBytes('tus', 10 * MIB + 7);
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  function request(method: string, path: string, headers: http.OutgoingHttpHeaders = TUS): http.ClientRequest {
    return http.request({ socketPath: socketPath(planet.home(1), 'control'), method, path, headers, agent: false });
  }

  async function answered(outgoing: http.ClientRequest): Promise<Answer> {
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    const body = await text(response);
    const problem = body === '' ? undefined : (JSON.parse(body) as ProblemReply);
    return { status: response.statusCode ?? 0, headers: response.headers, problem };
  }

  function ask(
    method: string,
    path: string,
    headers: http.OutgoingHttpHeaders = {},
    body?: Uint8Array,
  ): Promise<Answer> {
    const outgoing = request(method, path, { ...TUS, ...headers });
    outgoing.end(body);
    return answered(outgoing);
  }

  /** @returns its path on the server */
  async function create(path: string, length: number, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const headers = { 'upload-length': length, 'upload-metadata': metadata({ path, ...more }) };
    const created = await ask('POST', '/v1/uploads', headers);
    assert.equal(created.status, 201, created.problem?.message);
    assert.ok(Date.parse(String(created.headers['upload-expires'])) > Date.now());
    return new URL(String(created.headers.location), 'http://localhost/v1/uploads').pathname;
  }

  async function offsetOf(upload: string): Promise<number> {
    const { status, headers } = await ask('HEAD', upload);
    assert.equal(status, 200);
    return Number(headers['upload-offset']);
  }

  it('is taken from a client that sends it in pieces', async () => {
    let version: string | undefined;
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(Buffer.from(bytes), {
        endpoint: 'http://localhost/v1/uploads',
        httpStack: new DefaultHttpStack({ socketPath: socketPath(planet.home(1), 'control') }),
        chunkSize: 3 * MIB,
        retryDelays: null,
        metadata: { path: '/by/client', modified: String(MODIFIED_MS), mode: '384', filename: 'client' },
        onAfterResponse: (_request, response) => {
          version = response.getHeader('x-shoal-version') ?? version;
        },
        onSuccess: () => {
          resolve();
        },
        onError: reject,
      });
      upload.start();
    });
    await assertStored(planet, '/by/client', bytes);
    const entry = await planet.engine.catalog.stat(planet.session, '/by/client');
    assert.deepEqual([entry.modifiedMs, entry.mode, entry.version], [MODIFIED_MS, 0o600, version]);
  });

  it('goes on after its connection broke, and tells to whom lost the answer that it is done', async () => {
    const upload = await create('/broken', bytes.length, { source: 'phone' });
    const outgoing = request('PATCH', upload, { ...TUS, ...BYTES, 'upload-offset': 0, 'content-length': bytes.length });
    outgoing.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      outgoing.once('close', resolve);
      outgoing.write(bytes.subarray(0, 9 * MIB), () => {
        outgoing.destroy();
      });
    });
    let offset = 0;
    // The other side learns of it in its own time.
    for (let tries = 0; offset === 0 && tries < 600; tries++) {
      await delay(100);
      offset = await offsetOf(upload);
    }
    assert.ok(offset > 0 && offset <= 9 * MIB, String(offset));
    const [listed] = await listUploads();
    assert.equal(listed?.path, '/broken');
    assert.deepEqual(
      [listed.bytes, listed.storedBytes, listed.kind, listed.source],
      [bytes.length, offset, 'remote', 'phone'],
    );
    assert.ok(!(await paths(planet)).includes('/broken'));
    const rest = await ask('PATCH', upload, { ...BYTES, 'upload-offset': offset }, bytes.subarray(offset));
    assert.equal(rest.status, 204, rest.problem?.message);
    assert.equal(rest.headers['upload-offset'], String(bytes.length));
    await assertStored(planet, '/broken', bytes);
    const again = await ask('HEAD', upload);
    assert.equal(again.headers['x-shoal-version'], rest.headers['x-shoal-version']);
    assert.deepEqual(await listUploads(), []);
  });

  async function listUploads(): Promise<readonly UploadReply[]> {
    await using client = new ControlClient(planet.home(1), { signal: NEVER });
    return await client.uploads();
  }

  it('is made visible by whoever asks, when that failed at its end', async () => {
    const upload = await create('/late', 1000);
    const { catalog } = planet.engine;
    const commit = catalog.commit.bind(catalog);
    catalog.commit = () => Promise.reject(new Error('no power'));
    const failed = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 0 }, bytes.subarray(0, 1000));
    assert.equal(failed.status, 500);
    assert.equal((await ask('HEAD', upload)).status, 500);
    catalog.commit = commit;
    const { status, headers } = await ask('HEAD', upload);
    assert.deepEqual([status, headers['upload-offset']], [200, '1000']);
    assert.ok(headers['x-shoal-version'] !== undefined);
    await assertStored(planet, '/late', bytes.subarray(0, 1000));
  });

  it('is taken over by a later request, and what had come is kept', async () => {
    const upload = await create('/taken-over', 1000);
    const stalled = request('PATCH', upload, { ...TUS, ...BYTES, 'upload-offset': 0, 'content-length': 1000 });
    const first = answered(stalled).catch(() => undefined);
    stalled.on('error', () => undefined);
    stalled.write(bytes.subarray(0, 400));
    let offset = 0;
    for (let tries = 0; offset === 0 && tries < 600; tries++) offset = await offsetOf(upload);
    assert.equal(offset, 400);
    stalled.destroy();
    await first;
    const rest = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 400 }, bytes.subarray(400, 1000));
    assert.equal(rest.status, 204, rest.problem?.message);
    await assertStored(planet, '/taken-over', bytes.subarray(0, 1000));
  });

  it('of an empty file is done at once, and one may come with its creation', async () => {
    const empty = { 'upload-length': 0, 'upload-metadata': metadata({ path: '/empty' }) };
    assert.ok((await ask('POST', '/v1/uploads', empty)).headers['x-shoal-version'] !== undefined);
    assert.ok((await paths(planet)).includes('/empty'));
    const small = { 'upload-length': 5, 'upload-metadata': metadata({ path: '/small' }) };
    const created = await ask('POST', '/v1/uploads', { ...small, ...BYTES }, bytes.subarray(0, 5));
    assert.deepEqual([created.status, created.headers['upload-offset']], [201, '5']);
    await assertStored(planet, '/small', bytes.subarray(0, 5));
  });

  it('is refused in words', async () => {
    const to = metadata({ path: '/x' });
    const refusals: [status: number, code: string, Promise<Answer>][] = [
      [412, 'INVALID_ARGUMENT', answered(request('HEAD', '/v1/uploads/x', {}).end())],
      [400, 'INVALID_ARGUMENT', ask('POST', '/v1/uploads', { 'upload-metadata': to })],
      [400, 'INVALID_ARGUMENT', ask('POST', '/v1/uploads', { 'upload-length': 5 })],
      [
        400,
        'INVALID_ARGUMENT',
        ask('POST', '/v1/uploads', { 'upload-length': 5, 'upload-metadata': metadata({ path: '/../x' }) }),
      ],
      [
        400,
        'INVALID_ARGUMENT',
        ask('POST', '/v1/uploads', { 'upload-length': 5, 'upload-metadata': metadata({ path: '/x', mode: '99999' }) }),
      ],
      [
        409,
        'ALREADY_EXISTS',
        ask('POST', '/v1/uploads', {
          'upload-length': 5,
          'upload-metadata': metadata({ path: '/small', overwrite: 'false' }),
        }),
      ],
      [
        409,
        'CONFLICT',
        ask('POST', '/v1/uploads', { 'upload-length': 5, 'upload-metadata': metadata({ path: '/by' }) }),
      ],
      [501, 'UNSUPPORTED', ask('POST', '/v1/uploads', { 'upload-defer-length': 1, 'upload-metadata': to })],
      [
        404,
        'NOT_FOUND',
        ask('PATCH', `/v1/uploads/${'0'.repeat(32)}`, { ...BYTES, 'upload-offset': 0 }, bytes.subarray(0, 5)),
      ],
      [404, 'NOT_FOUND', ask('DELETE', '/v1/uploads/..%2f..%2fetc')],
    ];
    for (const [status, code, asked] of refusals) {
      const answer = await asked;
      assert.deepEqual([answer.status, answer.problem?.code ?? code], [status, code], answer.problem?.message);
    }
    const upload = await create('/short', 1000);
    const ahead = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 5 }, bytes.subarray(0, 5));
    assert.deepEqual([ahead.status, ahead.problem?.code], [409, 'CONFLICT']);
    const over = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 0 }, bytes.subarray(0, 1001));
    assert.deepEqual([over.status, over.problem?.code], [413, 'LIMIT_EXCEEDED']);
    assert.equal((await ask('DELETE', upload)).status, 204);
    assert.equal((await ask('HEAD', upload)).status, 404);
  });

  it('to a path that must be free loses to whoever was there first, also at the last moment', async () => {
    const uploads = await Promise.all(
      Array.from({ length: 4 }, () => create('/contended', 1000, { overwrite: 'false' })),
    );
    const part = bytes.subarray(0, 1000);
    const answers = await Promise.all(uploads.map((one) => ask('PATCH', one, { ...BYTES, 'upload-offset': 0 }, part)));
    const codes = answers.map(({ status, problem }) => problem?.code ?? String(status));
    assert.deepEqual(codes.sort(), ['204', ...Array.from({ length: 3 }, () => 'ALREADY_EXISTS')]);
    assert.equal((await planet.engine.catalog.versions(planet.session, '/contended')).length, 1);
    await Promise.all(uploads.map((one) => ask('DELETE', one)));
  });

  it('waits while its user is locked', async () => {
    const upload = await create('/locked', 1000);
    await planet.peer(1).sessions.lock('demo');
    const locked = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 0 }, bytes.subarray(0, 1000));
    assert.deepEqual([locked.status, locked.problem?.code], [423, 'LOCKED']);
    await planet.peer(1).sessions.unlock('demo', PASSPHRASE);
    planet.renewSession();
    const unlocked = await ask('PATCH', upload, { ...BYTES, 'upload-offset': 0 }, bytes.subarray(0, 1000));
    assert.equal(unlocked.status, 204, unlocked.problem?.message);
  });
});
