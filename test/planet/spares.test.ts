/** More peers than a stripe has chunks: eighteen of them, 14+2, so that two are left to stand in. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, put } from './files.js';
import { Planet } from './planet.js';

const FILE = seededBytes('spares', 1_500_000);

describe('a network of eighteen peers', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 18 });
  });
  after(() => planet[Symbol.asyncDispose]());

  it('a put during which two targets die is whole, because others stand in', async () => {
    const dying = [5, 11];
    for (const n of dying) planet.relay(n).cutAfterBytes = 20_000;
    const { missingChunks } = await put(planet, '/file', FILE);
    assert.equal(missingChunks, 0);
    const chunks = await planet.chunksOf('/file');
    assert.equal(chunks.length, 16);
    assert.equal(new Set(chunks.map(({ peer }) => peer)).size, 16, 'one chunk for each peer');
    assert.ok(!chunks.some(({ peer }) => dying.includes(peer)));
    await assertStored(planet, '/file', FILE);
  });
});
