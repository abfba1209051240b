/** A short campaign with few faults: peers that are away, bits that turn over, a disk that is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign } from './run.js';

/** Two rounds: bits flip at one peer while another is killed; the disk of a third is lost. */
const SEED = 192;
const SHORT = { minutes: 1, rounds: 2, pairs: 3, seed: SEED, beyond: false, json: false };
const HANG_MS = 240_000;

test('nothing that was acknowledged is lost under faults', { timeout: HANG_MS }, async (context) => {
  const said: string[] = [];
  const result = await runCampaign(SHORT, { signal: context.signal, say: (text) => said.push(text) });
  assert.deepEqual(result.violations, [], said.join('\n'));
  assert.deepEqual(new Set(result.faults.map(({ kind }) => kind)), new Set(['flip-bits', 'kill', 'lose-disk']));
  assert.ok(result.final.claims > 0 && result.final.pairReads > 0);
  assert.ok(result.healed.rebuiltChunks + result.healed.healedChunks > 0, 'something was lost, and made anew');
});
