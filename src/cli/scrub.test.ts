import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakePeer } from './fake-peer.js';
import { runCli, type CliResult } from './run-cli.js';

describe('shoal scrub', () => {
  let peer: FakePeer;

  beforeEach(async () => {
    peer = await FakePeer.open();
  });
  afterEach(() => peer[Symbol.asyncDispose]());

  function scrub(...words: readonly string[]): Promise<CliResult> {
    return runCli(['scrub', ...words], { home: peer.home });
  }

  it('says how it stands, and what could not be mended', async () => {
    const { code, stdout, stderr } = await scrub();
    assert.equal(code, 0, stderr);
    assert.deepEqual(peer.calls, ['GET /v1/scrub']);
    const [phase, pace, since, done, damaged, one] = stdout.toString().trimEnd().split('\n');
    assert.deepEqual(
      [phase, pace],
      ['Waits for its time.', 'Every chunk is read once in 30 days, with 16.0 MB a second at most.'],
    );
    assert.match(since ?? '', /^Every chunk was read since 2023-11-1\d \d\d:\d\d\.$/);
    assert.equal(
      done,
      'Since the peer was started: 12 chunks (5.0 MB) read; 3 segments (384 KiB) healed, moved 1.5 MiB.',
    );
    assert.equal(damaged, '1 chunk could not be mended yet:');
    assert.match(one ?? '', /^ {2}cdcdcdcdcdcd {2}Only 1 other chunk\. \(tried 2 times, next 2023-/);
  });

  it('reads everything with --now, and says in words what it did', async () => {
    const { code, stdout } = await scrub('--now');
    assert.equal(code, 0);
    assert.deepEqual(peer.calls, ['POST /v1/scrub']);
    assert.deepEqual(stdout.toString().trimEnd().split('\n'), [
      '12 chunks (5.0 MB) read: 3 segments (384 KiB) healed, moved 1.5 MiB.',
      '1 chunk could not be mended yet: see `shoal scrub`.',
    ]);
    const { event, totals } = JSON.parse((await scrub('--now', '--json')).stdout.toString()) as Record<string, unknown>;
    assert.equal(event, 'done');
    assert.equal((totals as { healedSegments: number }).healedSegments, 3);
  });

  it('fails when the peer stops in the middle', async () => {
    for (const [fault, message] of [
      ['cut', /^shoal: The Shoal peer in .* broke off: see its log/],
      ['short', /^shoal: The peer stopped\. What was mended stays mended; run it again for the rest\.\n$/],
    ] as const) {
      Object.assign(peer.faults, { cut: false, short: false, [fault]: true });
      const { code, stderr } = await scrub('--now');
      assert.equal(code, 11);
      assert.match(stderr, message);
    }
  });
});
