/** The control API of a real peer among three, over its unix socket. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededBytes } from '../../../test/e2e/programs/seeded.js';
import { assertProblem, ControlCaller } from '../../../test/planet/control-caller.js';
import { Planet } from '../../../test/planet/planet.js';
import { socketPath } from '../../socket-path.js';
import type { EntryReply, PutReply, RemoveReply, StatusReply, VersionReply, WhereReply } from './api.js';
import type { KitReply, PassphraseReply, RotationReply, UserReply } from './user-api.js';

const BYTES = seededBytes('content', 300_000);

describe('the control API', () => {
  let planet: Planet;
  let caller: ControlCaller;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    caller = new ControlCaller(socketPath(planet.home(1), 'control'));
  });
  after(() => planet[Symbol.asyncDispose]());

  it('listens on a socket that only its owner can open', async () => {
    assert.equal((await stat(socketPath(planet.home(1), 'control'))).mode & 0o777, 0o600);
  });

  it('stores, lists, moves, reads and removes a file', async () => {
    const put = await caller.json<PutReply>('PUT', '/v1/content?path=/a/file&modified=1700000000000&mode=384', {
      bytes: BYTES,
    });
    assert.deepEqual([put.path, put.bytes, put.stripes, put.missingChunks], ['/a/file', BYTES.length, 1, 0]);
    const entry = await caller.json<EntryReply>('GET', '/v1/stat?path=/a/file');
    assert.deepEqual(entry, {
      path: '/a/file',
      type: 'file',
      bytes: BYTES.length,
      modified: '2023-11-14T22:13:20.000Z',
      version: put.version,
    });
    assert.equal((await caller.ask('POST', '/v1/folders', { json: { path: '/a/folder' } })).status, 204);
    const names = async (query: string): Promise<string[]> =>
      (await caller.json<EntryReply[]>('GET', `/v1/entries?${query}`)).map(({ path }) => path);
    assert.deepEqual(await names('path=/a'), ['/a/file', '/a/folder']);
    assert.deepEqual(await names('path=/&recursive=true'), ['/a', '/a/file', '/a/folder']);
    assert.equal((await caller.ask('POST', '/v1/move', { json: { from: '/a/file', to: '/b' } })).status, 204);
    const versions = await caller.json<VersionReply[]>('GET', '/v1/versions?path=/b');
    assert.deepEqual(
      versions.map(({ version, current }) => [version, current]),
      [[put.version, true]],
    );
    const got = await caller.ask('GET', `/v1/content?path=/b&version=${put.version}`);
    assert.equal(got.headers['content-length'], String(BYTES.length));
    assert.ok(got.body.equals(BYTES));
    const removed = await caller.json('DELETE', '/v1/entries?path=/b');
    assert.deepEqual(removed, { files: 1, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] });
    assert.deepEqual(await caller.json('DELETE', '/v1/entries?path=/a&recursive=true'), {
      files: 0,
      pendingChunks: 0,
      pendingHomes: 0,
      homes: [],
      peers: [],
    });
  });

  it('empties the trash of all that is in it, also what a clock that is ahead has put there', async () => {
    await caller.json('PUT', '/v1/content?path=/gone', { bytes: BYTES });
    await planet.deliver();
    await caller.json('DELETE', '/v1/entries?path=/gone');
    await caller.json('DELETE', '/v1/trash?olderThanMs=1');
    assert.equal((await caller.json<unknown[]>('GET', '/v1/trash')).length, 1, 'it was not put there yet');
    assert.equal((await caller.json<RemoveReply>('DELETE', '/v1/trash?olderThanMs=0')).files, 1);
    assert.deepEqual(await caller.json('GET', '/v1/trash'), []);
  });

  it('sends a range as 206, and says which', async () => {
    await caller.json('PUT', '/v1/content?path=/range', { bytes: BYTES });
    const part = await caller.ask('GET', '/v1/content?path=/range', { headers: { range: 'bytes=1000-200999' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], `bytes 1000-200999/${String(BYTES.length)}`);
    assert.ok(part.body.equals(BYTES.subarray(1000, 201_000)));
    const wrong = await caller.ask('GET', '/v1/content?path=/range', { headers: { range: 'bytes=9-1' } });
    assert.deepEqual([wrong.status, wrong.headers['content-range']], [416, `bytes */${String(BYTES.length)}`]);
  });

  it('stores and sends an empty file', async () => {
    await caller.json('PUT', '/v1/content?path=/empty', { bytes: new Uint8Array() });
    const { status, body } = await caller.ask('GET', '/v1/content?path=/empty');
    assert.deepEqual([status, body.length], [200, 0]);
  });

  it('says where the chunks of a file lie', async () => {
    await caller.json('PUT', '/v1/content?path=/where', { bytes: BYTES });
    const { k, m, stripes } = await caller.json<WhereReply>('GET', '/v1/where?path=/where');
    assert.deepEqual([k, m, stripes.length], [2, 1, 1]);
    const peers = stripes[0]?.chunks.map(({ peer }) => peer ?? '');
    assert.deepEqual(new Set(peers), new Set(planet.numbers.map((n) => planet.id(n))));
  });

  it('says how the network is', async () => {
    await caller.json('PUT', '/v1/content?path=/status', { bytes: BYTES });
    assert.match(
      String((await caller.ask('GET', '/v1/metrics')).body),
      /^shoal_peer_up\{peer="peer-1",process="peer"\} 1$/m,
    );
    const status = await caller.json<StatusReply>('GET', '/v1/status');
    assert.deepEqual([status.network.k, status.network.m, status.peer.id], [2, 1, planet.id(1)]);
    assert.ok(status.peers.length === 3 && status.peers.every(({ up, latencyMs }) => up && latencyMs !== null));
    assert.deepEqual([status.safety?.degraded, status.safety?.mayFail], [0, 1]);
    assert.ok((status.store?.chunks ?? 0) > 0);
    await planet.stop(3);
    const without = await caller.json<StatusReply>('GET', '/v1/status');
    assert.deepEqual(
      without.peers.filter(({ up }) => !up).map(({ id, latencyMs }) => [id, latencyMs]),
      [[planet.id(3), null]],
    );
    assert.equal(without.safety?.mayFail, 0);
    await assertProblem('TOO_FEW_PEERS', caller.ask('PUT', '/v1/content?path=/never', { bytes: BYTES }));
    await planet.start(3);
  });

  it('knows users, and locks and unlocks them', async () => {
    await caller.json('POST', '/v1/users', { json: { name: 'ada', passphrase: 'another passphrase' } });
    await assertProblem(
      'ALREADY_EXISTS',
      caller.ask('POST', '/v1/users', { json: { name: 'ada', passphrase: 'x'.repeat(12) } }),
    );
    const users = await caller.json<{ name: string }[]>('GET', '/v1/users');
    assert.deepEqual(users.map(({ name }) => name).toSorted(), ['ada', 'demo']);
    await assertProblem(
      'UNAUTHENTICATED',
      caller.ask('POST', '/v1/unlock', { json: { name: 'ada', passphrase: 'wrong' } }),
    );
    await assertProblem('LOCKED', caller.ask('GET', '/v1/entries?path=/', { headers: { 'x-shoal-user': 'ada' } }));
    await caller.json('POST', '/v1/unlock', { json: { name: 'ada', passphrase: 'another passphrase' } });
    await assertProblem('INVALID_ARGUMENT', caller.ask('GET', '/v1/entries?path=/'));
    assert.deepEqual(await caller.json('GET', '/v1/entries?path=/', { headers: { 'x-shoal-user': 'ada' } }), []);
    assert.equal((await caller.ask('POST', '/v1/lock', { json: { name: 'ada' } })).status, 204);
    assert.equal((await caller.ask('GET', '/v1/entries?path=/')).status, 200);
  });

  it('answers every mistake with a problem', async () => {
    await assertProblem('NOT_FOUND', caller.ask('GET', '/v1/stat?path=/nothing'));
    await assertProblem('NOT_FOUND', caller.ask('GET', '/v1/content?path=/nothing'));
    await assertProblem('NOT_FOUND', caller.ask('GET', '/v1/nowhere'));
    await assertProblem('NOT_FOUND', caller.ask('PATCH', '/v1/status'));
    await assertProblem('INVALID_ARGUMENT', caller.ask('GET', '/v1/stat'));
    await assertProblem('INVALID_ARGUMENT', caller.ask('GET', '/v1/stat?path=/a/../b'));
    await assertProblem('INVALID_ARGUMENT', caller.ask('PUT', '/v1/content?path=/../b', { bytes: BYTES }));
    await assertProblem('INVALID_ARGUMENT', caller.ask('PUT', '/v1/content?path=/b', { json: {} }));
    await assertProblem('INVALID_ARGUMENT', caller.ask('POST', '/v1/imports', { json: {} }));
    await assertProblem('INVALID_ARGUMENT', caller.ask('POST', '/v1/move', { json: { from: '/a' } }));
    await assertProblem('INVALID_ARGUMENT', caller.ask('GET', '/v1/stat?path=/', { headers: { 'x-shoal-user': '%' } }));
    const headers = { 'content-type': 'application/json' };
    await assertProblem('INVALID_ARGUMENT', caller.ask('POST', '/v1/move', { bytes: Buffer.from('{'), headers }));
    await assertProblem(
      'INVALID_ARGUMENT',
      caller.ask('POST', '/v1/move', { bytes: Buffer.from('x'), headers: { 'content-type': 'text/x' } }),
    );
    const huge = Buffer.alloc(5 * 1024 * 1024, ' ');
    await assertProblem('LIMIT_EXCEEDED', caller.ask('POST', '/v1/move', { bytes: huge, headers }));
  });

  it('a client that leaves in the middle of its upload cancels the put', async () => {
    const before = await planet.usage();
    const request = caller.open('PUT', '/v1/content?path=/left', { 'content-type': 'application/octet-stream' });
    request.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      request.write(seededBytes('left', 9 * 1024 * 1024), () => {
        resolve();
      });
    });
    request.destroy();
    await delay(300);
    await assertProblem('NOT_FOUND', caller.ask('GET', '/v1/stat?path=/left'));
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('a peer whose socket is served already is a CONFLICT', async () => {
    const { ControlServer } = await import('./server.js');
    const { engine } = planet.peer(1);
    const socket = socketPath(planet.home(1), 'control');
    const options = { socket, health: { services: [], missing: async () => [] }, logger: engine.logger };
    await assert.rejects(ControlServer.open(options), { code: 'CONFLICT' });
    assert.equal((await caller.ask('GET', '/v1/users')).status, 200);
  });

  it('changes secrets of a user: passphrase, kit, keys', async () => {
    const created = await caller.json<UserReply>('POST', '/v1/users', { json: { name: 'ann', passphrase: 'old' } });
    assert.deepEqual([created.name, created.unlocked, created.generation, created.kit], ['ann', false, 1, false]);
    const headers = { 'x-shoal-user': 'ann' };
    await caller.json('POST', '/v1/unlock', { json: { name: 'ann', passphrase: 'old' } });
    const change = { name: 'ann', old: 'old', next: 'new' };
    const changed = await caller.json<PassphraseReply>('POST', '/v1/users/passphrase', { json: change });
    assert.deepEqual([changed.user.unlocked, changed.pendingHosts], [true, []]);
    await assertProblem(
      'UNAUTHENTICATED',
      caller.ask('POST', '/v1/unlock', { json: { name: 'ann', passphrase: 'old' } }),
    );
    await caller.json('GET', '/v1/entries?path=/', { headers });

    const events = await caller.lines('/v1/keys', { json: { passphrase: 'new' }, headers });
    const kinds = [events[0], events[1], events.at(-1)].map((event) => event?.['event']);
    assert.deepEqual(kinds, ['replaced', 'rotation', 'done']);
    const rotation = await caller.json<RotationReply>('GET', '/v1/keys', { headers });
    assert.deepEqual([rotation.generation, rotation.state], [2, 'none']);
    const wrong = await caller.lines('/v1/keys', { json: { passphrase: 'wrong' }, headers });
    assert.deepEqual([wrong[0]?.['event'], wrong[0]?.['code']], ['error', 'UNAUTHENTICATED']);

    const kit = await caller.json<KitReply>('POST', '/v1/users/kit', { json: { name: 'ann', passphrase: 'new' } });
    assert.equal(kit.words.length, 24);
    const recovery = { name: 'ann', words: kit.words.join(' '), next: 'newest' };
    await caller.json('POST', '/v1/users/recover', { json: recovery });
    await assertProblem(
      'INVALID_ARGUMENT',
      caller.ask('POST', '/v1/users/recover', { json: { ...recovery, words: 'one' } }),
    );
    const known = await caller.json<UserReply[]>('GET', '/v1/users');
    assert.equal(known.find(({ name }) => name === 'ann')?.unlocked, false);
    await assertProblem('LOCKED', caller.ask('GET', '/v1/entries?path=/', { headers }));
  });
});
