/** What a put left at peers when its own peer ended in the middle of it: three of them, 2+1. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { collectOrphans } from '../../src/file/remove.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, paths, put } from './files.js';
import { Planet } from './planet.js';

const KEPT = seededBytes('kept', 300_000);
const LOST = seededBytes('lost', 600_000);

describe('a put whose peer ends in the middle of it', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    await put(planet, '/kept', KEPT);
  });
  after(() => planet[Symbol.asyncDispose]());

  /** Ends peer 1 as by loss of power: whatever it would still note after this is not noted. */
  async function loseTheRest(): Promise<void> {
    const { engine } = planet;
    engine.outbox.add = () => Promise.reject(new Error('no power'));
    engine.outbox.flush = () => Promise.resolve();
    await planet.restart(1);
  }

  it('leaves chunks that are deleted when the user is unlocked again; what a file refers to is kept', async () => {
    const before = await planet.usage();
    const abort = new AbortController();
    const { catalog } = planet.engine;
    const reached = new Promise<void>((resolve) => {
      catalog.putStripes = () => {
        resolve();
        return new Promise((_resolve, reject) => {
          abort.signal.addEventListener('abort', () => {
            reject(new Error('no power'));
          });
        });
      };
    });
    const putting = put(planet, '/lost', LOST, abort.signal).catch((error: unknown) => error);
    await reached;
    const full = await planet.usage();
    assert.ok(
      full.every((bytes, i) => bytes > (before[i] ?? 0)),
      'chunks lie at every peer',
    );
    planet.engine.outbox.add = () => Promise.reject(new Error('no power'));
    abort.abort(new Error('no power'));
    await putting;
    await loseTheRest();
    assert.deepEqual(await planet.usage(), full);
    assert.equal(planet.engine.outbox.intents(planet.session.user).length, 1);
    await collectOrphans(planet.engine, planet.session);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
    assert.deepEqual(await paths(planet), ['/kept']);
    await assertStored(planet, '/kept', KEPT);
    assert.deepEqual(planet.engine.outbox.intents(planet.session.user), []);
  });
});
