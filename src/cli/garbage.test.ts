import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakePeer } from './fake-peer.js';
import { NOTHING_REMOVED, pendingLines, together } from './pending-lines.js';
import { runCli, type CliResult } from './run-cli.js';

describe('shoal garbage', () => {
  let peer: FakePeer;

  beforeEach(async () => {
    peer = await FakePeer.open();
  });
  afterEach(() => peer[Symbol.asyncDispose]());

  function garbage(...words: readonly string[]): Promise<CliResult> {
    return runCli(['garbage', ...words], { home: peer.home });
  }

  it('says what waits for which peer and why, and what lies there for nothing', async () => {
    const { code, stdout, stderr } = await garbage();
    assert.equal(code, 0, stderr);
    assert.deepEqual(peer.calls, ['GET /v1/garbage']);
    const text = stdout.toString();
    assert.match(text, /^attic +3 .* 4 +Too far\.$/m);
    assert.match(text, /^barn .*120 \(5\.0 MB\) +4 \(400\.0 kB\)/m);
    assert.match(text, /^cellar .* 2 \(2\.0 kB\) +2 \(2\.0 kB\)/m);
    assert.match(text, /^That is so much that a catalog may have been lost/m);
    assert.match(text, /"shoal garbage --now --old" deletes it\.$/m);
    assert.match(text, /they need nothing of it: desk\.$/m);
    const told = JSON.parse((await garbage('--json')).stdout.toString()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(told), ['waiting', 'held', 'watched', 'looksLost', 'awaited', 'graceMs']);
  });

  it('asks all peers with --now, and says what is deleted', async () => {
    const { code, stdout } = await garbage('--now', '--old');
    assert.equal(code, 0);
    assert.deepEqual(peer.calls, ['POST /v1/garbage']);
    assert.deepEqual(peer.asked, [{ old: true }]);
    assert.deepEqual(stdout.toString().trimEnd().split('\n'), [
      'attic holds 0 chunks (0 B); it told no more: It does not answer.',
      'barn holds 120 chunks (5.0 MB)',
      '4 chunks (400.0 kB) that no file refers to are being deleted: "shoal garbage" says what waits.',
      'Other peers have to say first that they need nothing of it: desk.',
    ]);
  });

  it('deletes nothing of before without --now', async () => {
    const { code, stderr } = await garbage('--old');
    assert.equal(code, 2);
    assert.match(stderr, /--now --old/);
    assert.deepEqual(peer.calls, []);
  });
});

describe('what is told of a removal for ever', () => {
  it('names who has deleted, who has not acknowledged, who is gone, and which homes are waited for', () => {
    const of = (name: string, chunks: number, waiting: number, removed = false): never =>
      ({ peer: name, name, chunks, waiting, removed }) as never;
    const peers = [of('attic', 2, 0), of('barn', 3, 1), of('cellar', 1, 0, true)];
    const lines = pendingLines({ files: 1, pendingChunks: 1, pendingHomes: 1, homes: ['desk'], peers });
    assert.deepEqual(lines, [
      'The space is given back when 1 other peer of yours (desk) knows of it: unlock there, or wait 30 days.',
      'Deleted by attic (2 chunks), barn (2 chunks).',
      'Not done yet at barn (1 chunk): tried again until it is. "shoal garbage" lists what waits, and why.',
      'No members any more, and not told: cellar.',
    ]);
    assert.deepEqual(pendingLines({ ...NOTHING_REMOVED, files: 1 }), []);
  });

  it('adds up several, but waits for those homes only that have not answered by the last one', () => {
    const at = (chunks: number, waiting: number): never =>
      ({ peer: 'a', name: 'attic', chunks, waiting, removed: false }) as never;
    const first = { files: 1, pendingChunks: 1, pendingHomes: 2, homes: ['desk', 'laptop'], peers: [at(2, 1)] };
    const second = { files: 2, pendingChunks: 2, pendingHomes: 1, homes: ['laptop'], peers: [at(3, 2)] };
    const both = { files: 3, pendingChunks: 3, pendingHomes: 1, homes: ['laptop'], peers: [at(5, 3)] };
    assert.deepEqual([first, second].reduce(together, NOTHING_REMOVED), both);
  });
});
