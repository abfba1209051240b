/** The control API of a real peer among three, over its unix socket. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededBytes } from '../../../test/e2e/programs/seeded.js';
import { Planet } from '../../../test/planet/planet.js';
import { ERRORS, type ErrorCode } from '../../errors.js';
import { socketPath } from '../../socket-path.js';
import type {
  EntryReply,
  KitReply,
  PassphraseReply,
  ProblemReply,
  PutReply,
  RemoveReply,
  RotationReply,
  StatusReply,
  UserReply,
  VersionReply,
  WhereReply,
} from './api.js';

const BYTES = seededBytes('content', 300_000);

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Ask {
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

describe('the control API', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  function open(method: string, path: string, headers: Readonly<Record<string, string>> = {}): http.ClientRequest {
    return http.request({ socketPath: socketPath(planet.home(1), 'control'), method, path, headers, agent: false });
  }

  async function ask(method: string, path: string, { json, bytes, headers = {} }: Ask = {}): Promise<Answer> {
    const body = json === undefined ? bytes : JSON.stringify(json);
    const type = json === undefined ? 'application/octet-stream' : 'application/json';
    const request = open(method, path, { ...(body === undefined ? {} : { 'content-type': type }), ...headers });
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
        });
      });
      request.end(body);
    });
  }

  async function json<T>(method: string, path: string, body?: Ask): Promise<T> {
    const answer = await ask(method, path, body);
    assert.equal(answer.status, 200, answer.body.toString());
    return JSON.parse(answer.body.toString()) as T;
  }

  async function assertProblem(code: ErrorCode, answering: Promise<Answer>): Promise<ProblemReply> {
    const { status, body } = await answering;
    const problem = JSON.parse(body.toString()) as ProblemReply;
    assert.equal(problem.code, code, problem.message);
    assert.equal(status, ERRORS[code].http);
    assert.deepEqual(Object.keys(problem), ['code', 'message']);
    return problem;
  }

  function lines(answer: Answer): Record<string, unknown>[] {
    return answer.body
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('listens on a socket that only its owner can open', async () => {
    assert.equal((await stat(socketPath(planet.home(1), 'control'))).mode & 0o777, 0o600);
  });

  it('stores, lists, moves, reads and removes a file', async () => {
    const put = await json<PutReply>('PUT', '/v1/content?path=/a/file&modified=1700000000000&mode=384', {
      bytes: BYTES,
    });
    assert.deepEqual([put.path, put.bytes, put.stripes, put.missingChunks], ['/a/file', BYTES.length, 1, 0]);
    const entry = await json<EntryReply>('GET', '/v1/stat?path=/a/file');
    assert.deepEqual(entry, {
      path: '/a/file',
      type: 'file',
      bytes: BYTES.length,
      modified: '2023-11-14T22:13:20.000Z',
      version: put.version,
    });
    assert.equal((await ask('POST', '/v1/folders', { json: { path: '/a/folder' } })).status, 204);
    const names = async (query: string): Promise<string[]> =>
      (await json<EntryReply[]>('GET', `/v1/entries?${query}`)).map(({ path }) => path);
    assert.deepEqual(await names('path=/a'), ['/a/file', '/a/folder']);
    assert.deepEqual(await names('path=/&recursive=true'), ['/a', '/a/file', '/a/folder']);
    assert.equal((await ask('POST', '/v1/move', { json: { from: '/a/file', to: '/b' } })).status, 204);
    const versions = await json<VersionReply[]>('GET', '/v1/versions?path=/b');
    assert.deepEqual(
      versions.map(({ version, current }) => [version, current]),
      [[put.version, true]],
    );
    const got = await ask('GET', `/v1/content?path=/b&version=${put.version}`);
    assert.equal(got.headers['content-length'], String(BYTES.length));
    assert.ok(got.body.equals(BYTES));
    const removed = await json('DELETE', '/v1/entries?path=/b');
    assert.deepEqual(removed, { files: 1, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] });
    assert.deepEqual(await json('DELETE', '/v1/entries?path=/a&recursive=true'), {
      files: 0,
      pendingChunks: 0,
      pendingHomes: 0,
      homes: [],
      peers: [],
    });
  });

  it('empties the trash of all that is in it, also what a clock that is ahead has put there', async () => {
    await json('PUT', '/v1/content?path=/gone', { bytes: BYTES });
    await planet.deliver();
    await json('DELETE', '/v1/entries?path=/gone');
    await json('DELETE', '/v1/trash?olderThanMs=1');
    assert.equal((await json<unknown[]>('GET', '/v1/trash')).length, 1, 'it was not put there yet');
    assert.equal((await json<RemoveReply>('DELETE', '/v1/trash?olderThanMs=0')).files, 1);
    assert.deepEqual(await json('GET', '/v1/trash'), []);
  });

  it('sends a range as 206, and says which', async () => {
    await json('PUT', '/v1/content?path=/range', { bytes: BYTES });
    const part = await ask('GET', '/v1/content?path=/range', { headers: { range: 'bytes=1000-200999' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], `bytes 1000-200999/${String(BYTES.length)}`);
    assert.ok(part.body.equals(BYTES.subarray(1000, 201_000)));
    const wrong = await ask('GET', '/v1/content?path=/range', { headers: { range: 'bytes=9-1' } });
    assert.deepEqual([wrong.status, wrong.headers['content-range']], [416, `bytes */${String(BYTES.length)}`]);
  });

  it('stores and sends an empty file', async () => {
    await json('PUT', '/v1/content?path=/empty', { bytes: new Uint8Array() });
    const { status, body } = await ask('GET', '/v1/content?path=/empty');
    assert.deepEqual([status, body.length], [200, 0]);
  });

  it('says where the chunks of a file lie', async () => {
    await json('PUT', '/v1/content?path=/where', { bytes: BYTES });
    const { k, m, stripes } = await json<WhereReply>('GET', '/v1/where?path=/where');
    assert.deepEqual([k, m, stripes.length], [2, 1, 1]);
    const peers = stripes[0]?.chunks.map(({ peer }) => peer ?? '');
    assert.deepEqual(new Set(peers), new Set(planet.numbers.map((n) => planet.id(n))));
  });

  it('says how the network is', async () => {
    await json('PUT', '/v1/content?path=/status', { bytes: BYTES });
    assert.match(String((await ask('GET', '/v1/metrics')).body), /^shoal_peer_up\{peer="peer-1",process="peer"\} 1$/m);
    const status = await json<StatusReply>('GET', '/v1/status');
    assert.deepEqual([status.network.k, status.network.m, status.peer.id], [2, 1, planet.id(1)]);
    assert.ok(status.peers.length === 3 && status.peers.every(({ up, latencyMs }) => up && latencyMs !== null));
    assert.deepEqual([status.safety?.degraded, status.safety?.mayFail], [0, 1]);
    assert.ok((status.store?.chunks ?? 0) > 0);
    await planet.stop(3);
    const without = await json<StatusReply>('GET', '/v1/status');
    assert.deepEqual(
      without.peers.filter(({ up }) => !up).map(({ id, latencyMs }) => [id, latencyMs]),
      [[planet.id(3), null]],
    );
    assert.equal(without.safety?.mayFail, 0);
    await assertProblem('TOO_FEW_PEERS', ask('PUT', '/v1/content?path=/never', { bytes: BYTES }));
    await planet.start(3);
  });

  it('imports files of this machine, and tells of each', async () => {
    const local = join(planet.folder, 'import');
    await writeFile(local, BYTES);
    const { dev, ino, size, mtimeMs } = await stat(local, { bigint: true });
    const item = {
      local,
      device: String(dev),
      inode: String(ino),
      bytes: Number(size),
      modifiedMs: Number(mtimeMs),
      mode: 0o644,
    };
    const items = [
      { ...item, path: '/imported' },
      { ...item, path: '/unseen', local: join(planet.folder, 'nothing') },
      { ...item, path: '/changed', bytes: item.bytes + 1 },
      { ...item, path: '/elsewhere', inode: '1' },
    ];
    const bytes = Buffer.from(items.map((one) => JSON.stringify(one)).join('\n'));
    const headers = { 'content-type': 'application/x-ndjson' };
    const events = lines(await ask('POST', '/v1/imports', { bytes, headers }));
    const told = events.filter(({ event }) => event !== 'progress').map(({ event, path, code }) => [event, path, code]);
    assert.deepEqual(
      told.toSorted().filter(([event]) => event !== 'done'),
      [
        ['failed', '/changed', 'CONFLICT'],
        ['stored', '/imported', undefined],
        ['unreadable', '/elsewhere', undefined],
        ['unreadable', '/unseen', undefined],
      ],
    );
    assert.deepEqual(events.at(-1), { event: 'done', files: 1, bytes: BYTES.length });
    const progress = events
      .filter(({ event }) => event === 'progress')
      .reduce((sum, one) => sum + Number(one['bytes']), 0);
    assert.equal(progress, BYTES.length);
  });

  it('a bad line of an import fails the file that it was to name, and no other', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const local = join(planet.folder, 'beside-bad-lines');
    await writeFile(local, BYTES);
    const { dev, ino, mtimeMs } = await stat(local, { bigint: true });
    const good = {
      device: String(dev),
      inode: String(ino),
      modifiedMs: Number(mtimeMs),
      mode: 0o644,
      bytes: BYTES.length,
    };
    const text = [
      '{',
      JSON.stringify({ local: '/x', path: '/no-size' }),
      'x'.repeat(200_000),
      JSON.stringify({ local, path: '/beside-bad-lines', ...good }),
      'null',
    ].join('\n');
    const events = lines(await ask('POST', '/v1/imports', { bytes: Buffer.from(text), headers }));
    assert.deepEqual(
      events
        .filter(({ event }) => event !== 'progress')
        .map(({ event, code, path }) => [event, code, path])
        .sort(),
      [
        ['done', undefined, undefined],
        ['failed', 'INVALID_ARGUMENT', ''],
        ['failed', 'INVALID_ARGUMENT', ''],
        ['failed', 'INVALID_ARGUMENT', '/no-size'],
        ['failed', 'LIMIT_EXCEEDED', ''],
        ['stored', undefined, '/beside-bad-lines'],
      ],
    );
  });

  it('exports files into a staging folder that it can prove to see', async () => {
    await json('PUT', '/v1/content?path=/export', { bytes: BYTES });
    const staging = join(planet.folder, 'staging');
    const proof = 'a proof of sixteen characters and more';
    await mkdir(staging);
    const items = [{ path: '/export' }, { path: '/nothing' }];
    const request = { staging, proof, items };
    await assertProblem('PERMISSION_DENIED', ask('POST', '/v1/exports', { json: request }));
    await writeFile(join(staging, '.proof'), `${proof}!`);
    await assertProblem('PERMISSION_DENIED', ask('POST', '/v1/exports', { json: request }));
    await writeFile(join(staging, '.proof'), proof);
    const events = lines(await ask('POST', '/v1/exports', { json: request })).filter(
      ({ event }) => event !== 'progress',
    );
    assert.deepEqual(
      events.map(({ event, item, code }) => [event, item, code]),
      [
        ['failed', 1, 'NOT_FOUND'],
        ['fetched', 0, undefined],
        ['done', undefined, undefined],
      ],
    );
    assert.ok((await readFile(join(staging, '0'))).equals(BYTES));
  });

  it('knows users, and locks and unlocks them', async () => {
    await json('POST', '/v1/users', { json: { name: 'ada', passphrase: 'another passphrase' } });
    await assertProblem(
      'ALREADY_EXISTS',
      ask('POST', '/v1/users', { json: { name: 'ada', passphrase: 'x'.repeat(12) } }),
    );
    const users = await json<{ name: string }[]>('GET', '/v1/users');
    assert.deepEqual(users.map(({ name }) => name).toSorted(), ['ada', 'demo']);
    await assertProblem('UNAUTHENTICATED', ask('POST', '/v1/unlock', { json: { name: 'ada', passphrase: 'wrong' } }));
    await assertProblem('LOCKED', ask('GET', '/v1/entries?path=/', { headers: { 'x-shoal-user': 'ada' } }));
    await json('POST', '/v1/unlock', { json: { name: 'ada', passphrase: 'another passphrase' } });
    await assertProblem('INVALID_ARGUMENT', ask('GET', '/v1/entries?path=/'));
    assert.deepEqual(await json('GET', '/v1/entries?path=/', { headers: { 'x-shoal-user': 'ada' } }), []);
    assert.equal((await ask('POST', '/v1/lock', { json: { name: 'ada' } })).status, 204);
    assert.equal((await ask('GET', '/v1/entries?path=/')).status, 200);
  });

  it('answers every mistake with a problem', async () => {
    await assertProblem('NOT_FOUND', ask('GET', '/v1/stat?path=/nothing'));
    await assertProblem('NOT_FOUND', ask('GET', '/v1/content?path=/nothing'));
    await assertProblem('NOT_FOUND', ask('GET', '/v1/nowhere'));
    await assertProblem('NOT_FOUND', ask('PATCH', '/v1/status'));
    await assertProblem('INVALID_ARGUMENT', ask('GET', '/v1/stat'));
    await assertProblem('INVALID_ARGUMENT', ask('GET', '/v1/stat?path=/a/../b'));
    await assertProblem('INVALID_ARGUMENT', ask('PUT', '/v1/content?path=/../b', { bytes: BYTES }));
    await assertProblem('INVALID_ARGUMENT', ask('PUT', '/v1/content?path=/b', { json: {} }));
    await assertProblem('INVALID_ARGUMENT', ask('POST', '/v1/imports', { json: {} }));
    await assertProblem('INVALID_ARGUMENT', ask('POST', '/v1/move', { json: { from: '/a' } }));
    await assertProblem('INVALID_ARGUMENT', ask('GET', '/v1/stat?path=/', { headers: { 'x-shoal-user': '%' } }));
    const headers = { 'content-type': 'application/json' };
    await assertProblem('INVALID_ARGUMENT', ask('POST', '/v1/move', { bytes: Buffer.from('{'), headers }));
    await assertProblem(
      'INVALID_ARGUMENT',
      ask('POST', '/v1/move', { bytes: Buffer.from('x'), headers: { 'content-type': 'text/x' } }),
    );
    const huge = Buffer.alloc(5 * 1024 * 1024, ' ');
    await assertProblem('LIMIT_EXCEEDED', ask('POST', '/v1/move', { bytes: huge, headers }));
  });

  it('a client that leaves in the middle of its upload cancels the put', async () => {
    const before = await planet.usage();
    const request = open('PUT', '/v1/content?path=/left', { 'content-type': 'application/octet-stream' });
    request.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      request.write(seededBytes('left', 9 * 1024 * 1024), () => {
        resolve();
      });
    });
    request.destroy();
    await delay(300);
    await assertProblem('NOT_FOUND', ask('GET', '/v1/stat?path=/left'));
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('a client that leaves in the middle of an import cancels the put', async () => {
    const local = join(planet.folder, 'large');
    await writeFile(local, seededBytes('large', 25 * 1024 * 1024));
    const { dev, ino, size, mtimeMs } = await stat(local, { bigint: true });
    const ids = { device: String(dev), inode: String(ino), mode: 0o600, path: '/left-import' };
    const request = open('POST', '/v1/imports', { 'content-type': 'application/x-ndjson' });
    request.on('error', () => undefined);
    const left = new Promise<void>((resolve) => {
      request.on('response', (response) => {
        response.on('error', () => undefined);
        response.once('data', () => {
          request.destroy();
          resolve();
        });
      });
    });
    for (const n of [2, 3]) planet.relay(n).delayMs = 10;
    request.end(JSON.stringify({ ...ids, local, bytes: Number(size), modifiedMs: Number(mtimeMs) }));
    await left;
    for (const n of [2, 3]) planet.relay(n).flow();
    await delay(2000);
    await assertProblem('NOT_FOUND', ask('GET', '/v1/stat?path=/left-import'));
  });

  it('a peer whose socket is served already is a CONFLICT', async () => {
    const { ControlServer } = await import('./server.js');
    const { engine } = planet.peer(1);
    const socket = socketPath(planet.home(1), 'control');
    const options = { socket, health: { services: [], missing: async () => [] }, logger: engine.logger };
    await assert.rejects(ControlServer.open(options), { code: 'CONFLICT' });
    assert.equal((await ask('GET', '/v1/users')).status, 200);
  });

  it('changes secrets of a user: passphrase, kit, keys', async () => {
    const created = await json<UserReply>('POST', '/v1/users', { json: { name: 'ann', passphrase: 'old' } });
    assert.deepEqual([created.name, created.unlocked, created.generation, created.kit], ['ann', false, 1, false]);
    const headers = { 'x-shoal-user': 'ann' };
    await json('POST', '/v1/unlock', { json: { name: 'ann', passphrase: 'old' } });
    const change = { name: 'ann', old: 'old', next: 'new' };
    const changed = await json<PassphraseReply>('POST', '/v1/users/passphrase', { json: change });
    assert.deepEqual([changed.user.unlocked, changed.pendingHosts], [true, []]);
    await assertProblem('UNAUTHENTICATED', ask('POST', '/v1/unlock', { json: { name: 'ann', passphrase: 'old' } }));
    await json('GET', '/v1/entries?path=/', { headers });

    const events = lines(await ask('POST', '/v1/keys', { json: { passphrase: 'new' }, headers }));
    const kinds = [events[0], events[1], events.at(-1)].map((event) => event?.['event']);
    assert.deepEqual(kinds, ['replaced', 'rotation', 'done']);
    const rotation = await json<RotationReply>('GET', '/v1/keys', { headers });
    assert.deepEqual([rotation.generation, rotation.state], [2, 'none']);
    const wrong = lines(await ask('POST', '/v1/keys', { json: { passphrase: 'wrong' }, headers }));
    assert.deepEqual([wrong[0]?.['event'], wrong[0]?.['code']], ['error', 'UNAUTHENTICATED']);

    const kit = await json<KitReply>('POST', '/v1/users/kit', { json: { name: 'ann', passphrase: 'new' } });
    assert.equal(kit.words.length, 24);
    const recovery = { name: 'ann', words: kit.words.join(' '), next: 'newest' };
    await json('POST', '/v1/users/recover', { json: recovery });
    await assertProblem('INVALID_ARGUMENT', ask('POST', '/v1/users/recover', { json: { ...recovery, words: 'one' } }));
    const known = await json<UserReply[]>('GET', '/v1/users');
    assert.equal(known.find(({ name }) => name === 'ann')?.unlocked, false);
    await assertProblem('LOCKED', ask('GET', '/v1/entries?path=/', { headers }));
  });
});
