/** Files of this machine, into the store and out of it, over the control socket of a real peer among three. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededBytes } from '../../../test/e2e/programs/seeded.js';
import { assertProblem, ControlCaller } from '../../../test/planet/control-caller.js';
import { Planet } from '../../../test/planet/planet.js';
import { socketPath } from '../../socket-path.js';

const BYTES = seededBytes('content', 300_000);

describe('files of this machine', () => {
  let planet: Planet;
  let caller: ControlCaller;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    caller = new ControlCaller(socketPath(planet.home(1), 'control'));
  });
  after(() => planet[Symbol.asyncDispose]());

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
    const events = await caller.lines('/v1/imports', { bytes, headers });
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
    const events = await caller.lines('/v1/imports', { bytes: Buffer.from(text), headers });
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
    await caller.json('PUT', '/v1/content?path=/export', { bytes: BYTES });
    const staging = join(planet.folder, 'staging');
    const proof = 'a proof of sixteen characters and more';
    await mkdir(staging);
    const items = [{ path: '/export' }, { path: '/nothing' }];
    const request = { staging, proof, items };
    await assertProblem('PERMISSION_DENIED', caller.ask('POST', '/v1/exports', { json: request }));
    await writeFile(join(staging, '.proof'), `${proof}!`);
    await assertProblem('PERMISSION_DENIED', caller.ask('POST', '/v1/exports', { json: request }));
    await writeFile(join(staging, '.proof'), proof);
    const events = (await caller.lines('/v1/exports', { json: request })).filter(({ event }) => event !== 'progress');
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

  it('a client that leaves in the middle of an import cancels the put', async () => {
    const local = join(planet.folder, 'large');
    await writeFile(local, seededBytes('large', 25 * 1024 * 1024));
    const { dev, ino, size, mtimeMs } = await stat(local, { bigint: true });
    const ids = { device: String(dev), inode: String(ino), mode: 0o600, path: '/left-import' };
    const request = caller.open('POST', '/v1/imports', { 'content-type': 'application/x-ndjson' });
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
    await assertProblem('NOT_FOUND', caller.ask('GET', '/v1/stat?path=/left-import'));
  });
});
