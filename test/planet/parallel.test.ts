/** Many requests at once at one peer of three, over its control socket. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { readConfig } from '../../src/config.js';
import { socketPath } from '../../src/socket-path.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, put } from './files.js';
import { Planet } from './planet.js';

const MIB = 1024 * 1024;
/** Enough for several reads, so that every get needs several turns. */
const LARGE_BYTES = 4 * MIB;
const LARGE = seededBytes('large', LARGE_BYTES);
const GETS = 20;
const PUTS = 5;

describe('a peer with many requests at once', () => {
  let planet: Planet;
  /** Stripes in the workers' hands now, and the most there ever were. */
  const inWork = { put: 0, get: 0, most: 0, mostPuts: 0, mostGets: 0 };

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    const { pool } = planet.engine;
    const counted = async <T>(work: 'put' | 'get', run: () => Promise<T>): Promise<T> => {
      inWork[work]++;
      inWork.most = Math.max(inWork.most, inWork.put + inWork.get);
      inWork.mostPuts = Math.max(inWork.mostPuts, inWork.put);
      inWork.mostGets = Math.max(inWork.mostGets, inWork.get);
      try {
        return await run();
      } finally {
        inWork[work]--;
      }
    };
    const [store, fetch] = [pool.storeStripe.bind(pool), pool.fetchStripe.bind(pool)];
    pool.storeStripe = (job, signal) => counted('put', () => store(job, signal));
    pool.fetchStripe = (job, signal) => counted('get', () => fetch(job, signal));
    await put(planet, '/large', LARGE);
  });
  after(() => planet[Symbol.asyncDispose]());

  function ask(method: string, path: string, bytes?: Uint8Array): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const headers = bytes === undefined ? {} : { 'content-type': 'application/octet-stream' };
      const socket = socketPath(planet.home(1), 'control');
      const request = http.request({ socketPath: socket, method, path, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) });
        });
      });
      request.on('error', reject);
      request.end(bytes);
    });
  }

  it('serves them all, with no more stripes in memory than for one, and lets a small get through', async () => {
    const contents = Array.from({ length: PUTS }, (_, n) => seededBytes(`put ${String(n)}`, LARGE_BYTES));
    let ended = 0;
    const done = <T>(answer: T): T => {
      ended++;
      return answer;
    };
    const puts = contents.map((bytes, n) => ask('PUT', `/v1/content?path=/put-${String(n)}`, bytes).then(done));
    const gets = Array.from({ length: GETS }, () => ask('GET', '/v1/content?path=/large').then(done));
    // A reader that leaves in the middle takes nothing with it.
    const leaving = http.request({
      socketPath: socketPath(planet.home(1), 'control'),
      path: '/v1/content?path=/large',
      agent: false,
    });
    leaving.on('error', () => undefined);
    leaving.on('response', (response) => response.once('data', () => response.destroy()));
    leaving.end();
    const small = await new Promise<number>((resolve, reject) => {
      const path = '/v1/content?path=/large';
      const headers = { range: 'bytes=3000000-3000099' };
      const request = http.request({ socketPath: socketPath(planet.home(1), 'control'), path, headers, agent: false });
      request.on('error', reject);
      request.on('response', (response) => {
        response.resume();
        response.on('end', () => {
          resolve(ended);
        });
      });
      request.end();
    });
    assert.ok(small < PUTS + GETS, `a small get ended after ${String(small)} others`);
    for (const { status, body } of await Promise.all(gets)) {
      assert.equal(status, 200);
      assert.ok(body.equals(LARGE));
    }
    for (const { status, body } of await Promise.all(puts)) assert.equal(status, 200, body.toString());
    for (const [n, bytes] of contents.entries()) await assertStored(planet, `/put-${String(n)}`, bytes);
    const { stripesPerWorker } = readConfig({ home: planet.home(1), listen: '127.0.0.1:0' }, {});
    assert.ok(inWork.mostPuts <= stripesPerWorker, `${String(inWork.mostPuts)} puts`);
    assert.ok(inWork.mostGets <= stripesPerWorker, `${String(inWork.mostGets)} gets`);
    assert.ok(inWork.most <= stripesPerWorker + 1, `${String(inWork.most)} at once`);
    assert.equal(planet.engine.pool.turns.running, 0);
    assert.deepEqual([planet.engine.pinned.size, planet.engine.outbox.pending()], [0, 0]);
    assert.deepEqual(planet.engine.outbox.intents(planet.session.user), []);
  });
});
