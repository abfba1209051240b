import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakePeer } from './fake-peer.js';
import { KIT_WORDS } from './fake-users.js';
import { runCli, type CliResult } from './run-cli.js';

describe('shoal recover', () => {
  let peer: FakePeer;

  beforeEach(async () => {
    peer = await FakePeer.open({ locked: true });
  });
  afterEach(() => peer[Symbol.asyncDispose]());

  function recover(words: readonly string[], input = ''): Promise<CliResult> {
    return runCli(['recover', ...words], { home: peer.home, input });
  }

  it('finds the user, unlocks, and says what is not well', async () => {
    const { code, stdout, stderr } = await recover(['demo'], 'correct horse\n');
    assert.equal(code, 0, stderr);
    assert.deepEqual(peer.calls, ['POST /v1/users/adopt', 'POST /v1/unlock', 'POST /v1/recovery']);
    assert.deepEqual(stdout.toString().trimEnd().split('\n'), [
      'attic has 12 chunks',
      'cellar has 3 chunks, and 2 labels that did not hold; it told no more: Peer cellar did not answer.',
      'A stripe cannot be read: 1 chunk of 2 that are needed can be had. Peer cellar did not answer.',
      '/film is not whole: bytes 5–9 cannot be had now.',
      '/full did not come back: It is taken.',
      '1 version of files (1.2 kB) came back; 7 versions were known already.',
      '1 version not whole, 1 stripe not readable, 1 version refused. Start the peers that are missing and run it again; what remains of removed files looks the same.',
    ]);
  });

  it('only tells in a dry run, of every file', async () => {
    const { code, stdout } = await recover(['demo', '-n'], 'correct horse');
    assert.equal(code, 0);
    assert.match(stdout.toString(), /^\/new\/cat {2}1\.2 kB$/m);
    assert.match(stdout.toString(), /^1 version of files \(1\.2 kB\) would come back;/m);
  });

  it('prints events for programs', async () => {
    const { stdout } = await recover(['--id', 'ab'.repeat(32), '--json'], 'correct horse');
    const events = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    assert.deepEqual(events, ['peer', 'peer', 'unread', 'broken', 'recovered', 'refused', 'done']);
  });

  it('takes the kit instead of the passphrase, and asks for nothing where the user is unlocked', async () => {
    const words = KIT_WORDS.join(' ');
    assert.equal((await recover(['demo', '--kit'], `${words}\ncorrect horse\n`)).code, 0);
    assert.deepEqual(peer.calls.slice(1), ['POST /v1/users/recover', 'POST /v1/unlock', 'POST /v1/recovery']);
    assert.equal((await recover(['demo'])).code, 0);
    assert.deepEqual(peer.calls.slice(4), ['POST /v1/users/adopt', 'POST /v1/recovery']);
  });

  it('fails where nobody is meant, nobody is found, the passphrase is wrong, or the peer stops', async () => {
    const fails = async (words: readonly string[], exit: number, message: RegExp): Promise<void> => {
      const { code, stderr } = await recover(words, 'wrong');
      assert.equal(code, exit, stderr);
      assert.match(stderr, message);
    };
    await fails([], 2, /shoal recover NAME/);
    await fails(['nobody'], 3, /No peer/);
    await fails(['demo'], 6, /passphrase/);
    peer.faults.locked = false;
    peer.faults.cut = true;
    await fails(['demo'], 11, /broke off: see its log/);
    Object.assign(peer.faults, { cut: false, short: true });
    await fails(['demo'], 11, /The peer stopped\. Run it again: what came back stays\./);
  });
});
