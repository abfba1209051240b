import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakePeer } from './fake-peer.js';
import { runCli, type CliResult } from './run-cli.js';

describe('shoal compact', () => {
  let peer: FakePeer;

  beforeEach(async () => {
    peer = await FakePeer.open();
  });
  afterEach(() => peer[Symbol.asyncDispose]());

  function compact(...words: readonly string[]): Promise<CliResult> {
    return runCli(['compact', ...words], { home: peer.home });
  }

  it('says how much nobody needs, and whose places wait', async () => {
    const { code, stdout, stderr } = await compact();
    assert.equal(code, 0, stderr);
    assert.deepEqual(peer.calls, ['GET /v1/compaction']);
    const [first, second] = stdout.toString().trimEnd().split('\n');
    assert.match(
      first ?? '',
      /^As of .+ ago, 3 stripes hold 9\.0 MB that nobody needs, and 2\.0 MB that somebody does\.$/,
    );
    assert.match(second ?? '', /^2 stripes that nobody needs are not given back yet/);
    const told = JSON.parse((await compact('--json')).stdout.toString()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(told), ['looked', 'stripes', 'liveBytes', 'deadBytes', 'waiting', 'graceMs']);
  });

  it('moves with --now, and says what came of it', async () => {
    const { code, stdout } = await compact('--now', '--give-back');
    assert.equal(code, 0);
    assert.deepEqual(peer.calls, ['POST /v1/compaction']);
    assert.deepEqual(peer.asked, [{ giveBack: true }]);
    assert.deepEqual(stdout.toString().trimEnd().split('\n').slice(0, 3), [
      '1.5 MB stored anew; 1 stripe with 3.0 MB that nobody needs can go …',
      '2.0 MB stored anew; 2 stripes with 6.0 MB that nobody needs can go.',
      '1 stripe stays as it is: in use, or not to be read now.',
    ]);
  });

  it('gives nothing back without --now', async () => {
    const { code, stderr } = await compact('--give-back');
    assert.equal(code, 2);
    assert.match(stderr, /--now --give-back/);
    assert.deepEqual(peer.calls, []);
  });
});
