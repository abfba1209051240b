/** What a put could not place gets its place by repair, and the command line says all of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runCli } from '../../src/cli/run-cli.js';
import type { AuditsReply, RepairsDone, RepairsReply } from '../../src/gateways/http/audit-api.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, put } from './files.js';
import { Planet } from './planet.js';

const MIB = 1024 * 1024;
const CONTENT = seededBytes('degraded', 2 * MIB);

describe('a network of six peers, one of which was down during a put', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open();
    await planet.kill(5);
    assert.equal((await put(planet, '/degraded', CONTENT)).missingChunks, 1);
  });
  after(() => planet[Symbol.asyncDispose]());

  async function shoal(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCli(words, { home: planet.home(1) });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  }

  it('refuses to put where too few are trusted, and says why', async () => {
    const { book } = planet.engine;
    book.distrust(new Set([planet.id(6)]));
    await assert.rejects(put(planet, '/refused', CONTENT), { code: 'TOO_FEW_PEERS', message: /peer-6 failed audits/ });
    book.distrust(new Set());
  });

  it('says that the chunk has no place yet, and gives it one when the peer is back', async () => {
    assert.match(
      await shoal('repair', '--now'),
      /^1 stripe: 1 chunk is left\.\n {2}Every peer that .* Add a peer\.\n$/,
    );
    const state = JSON.parse(await shoal('repair', '--json')) as RepairsReply;
    assert.deepEqual([state.queued.stripes, state.queued.chunks, state.survey?.degraded], [1, 1, 1]);
    await planet.start(5);
    const done = JSON.parse(await shoal('repair', '--now', '--json')) as RepairsDone;
    assert.deepEqual([done.rebuilt, done.left], [1, 0]);
    const [placed] = await planet.chunksOf('/degraded');
    assert.ok(placed !== undefined);
    assert.equal(done.movedBytes, placed.stripe.k * placed.stripe.chunkBytes);
    assert.ok((await planet.chunksOf('/degraded')).some(({ peer }) => peer === 5));
    assert.equal(await shoal('repair', '--now'), 'Nothing has to be repaired.\n');
    assert.match(await shoal('repair'), /^Off: .*\nOf 1 stripe that it knows: 1 whole /);
    await planet.kill(2, 3);
    await assertStored(planet, '/degraded', CONTENT);
    await planet.start(2);
    await planet.start(3);
  });

  it('tells of audits', async () => {
    assert.equal(await shoal('audit', '--now', '--count', '4'), '4 audits: 4 passed.\n');
    const lines = (await shoal('audit', '--now', '--count', '2', '--json')).trim().split('\n');
    assert.equal(lines.length, 3);
    const state = JSON.parse(await shoal('audit', '--json')) as AuditsReply;
    assert.equal(
      state.peers.reduce((sum, { counts }) => sum + counts.passed, 0),
      6,
    );
    assert.ok(state.peers.every(({ trusted, gone }) => trusted && !gone));
    assert.match(await shoal('audit'), /^Off: .*\n\n *peer .*passed/);
  });
});
