import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FakePeer } from './fake-peer.js';
import { KIT_WORDS } from './fake-users.js';
import { finished, runCli, startCli, type CliResult } from './run-cli.js';

function json(result: CliResult): unknown {
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout.toString());
}

function assertFails(result: CliResult, exit: number, message: RegExp): void {
  assert.equal(result.code, exit, result.stderr);
  assert.match(result.stderr, message);
}

describe('shoal user, against a peer that answers', () => {
  let peer: FakePeer;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-cli-'));
    peer = await FakePeer.open();
  });

  afterEach(async () => {
    await peer[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function user(words: readonly string[], input?: string): Promise<CliResult> {
    return runCli(['user', ...words], { home: peer.home, cwd: folder, ...(input !== undefined && { input }) });
  }

  function file(name: string, content: string): string {
    writeFileSync(join(folder, name), content);
    return name;
  }

  it('create takes the passphrase from a pipe or a file, and list shows who is there', async () => {
    const made = json(await user(['create', 'ann', '--json'], 'secret\n')) as Record<string, unknown>;
    assert.deepEqual([made['name'], peer.users.passphrase], ['ann', 'secret']);
    const made2 = await user(['create', 'bob', '--passphrase-file', file('phrase', 'other\n')]);
    assert.match(made2.stdout.toString(), /User bob is there, with the fingerprint (abab ){7}abab\./);
    assert.match(made2.stderr, /shoal user kit bob/);
    assert.equal(peer.users.passphrase, 'other');
    assertFails(await user(['create', 'demo'], 'x'), 4, /already/);
    assertFails(await user(['create', 'eve'], ''), 2, /empty/);
    const names = (json(await user(['list', '--json'])) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, ['demo', 'ann', 'bob']);
    assert.match((await user(['list'])).stdout.toString(), /demo .*1 .*no .*unlocked/);
  });

  it('passphrase takes both from a pipe or from files, and says who has not heard of it', async () => {
    const changed = await user(['passphrase'], 'correct horse\nnew one\n');
    assert.equal(changed.code, 0, changed.stderr);
    assert.match(changed.stdout.toString(), /changed.*opens nothing/);
    assert.match(changed.stderr, /cellar/);
    assert.equal(peer.users.passphrase, 'new one');
    const files = ['--passphrase-file', file('old', 'correct horse\n'), '--new-passphrase-file', file('new', 'newer')];
    const reply = json(await user(['passphrase', 'demo', ...files, '--json'])) as Record<string, unknown>;
    assert.deepEqual([reply['pendingHosts'], peer.users.passphrase], [['cellar'], 'newer']);
    assertFails(await user(['passphrase', 'demo'], 'wrong\nnew\n'), 6, /passphrase/);
    assertFails(await user(['passphrase', 'demo'], 'correct horse\n'), 2, /empty/);
    await user(['create', 'ann'], 'x');
    assertFails(await user(['passphrase'], 'correct horse\nnew'), 2, /2 users/);
    assert.equal((await user(['passphrase', '--user', 'demo'], 'correct horse\nnew')).code, 0);
  });

  it('ssh-key takes a public key by passphrase, lists and removes', async () => {
    const key = file('key.pub', 'ssh-ed25519 AAAA ann@laptop\n');
    const added = await user(['ssh-key', 'add', key, '--name', 'desk'], 'correct horse\n');
    assert.match(added.stdout.toString(), /The SSH key desk lets demo in over SFTP\./);
    assert.match(added.stderr, /shoal unlock demo/);
    assertFails(await user(['ssh-key', 'add', key], 'wrong'), 6, /passphrase/);
    assertFails(await user(['ssh-key', 'add', file('none.pub', 'x')], 'correct horse'), 2, /no public key/);
    assertFails(await user(['ssh-key', 'add', 'missing.pub'], 'correct horse'), 3, /missing\.pub/);
    assert.match((await user(['ssh-key', 'list', 'demo'])).stdout.toString(), /laptop .*SHA256:abc .*ssh-ed25519/);
    assert.equal((json(await user(['ssh-key', 'list', '--json'])) as unknown[]).length, 1);
    const removed = await user(['ssh-key', 'rm', 'laptop'], 'correct horse\n');
    assert.match(removed.stdout.toString(), /laptop lets demo in no longer/);
  });

  it('kit goes to a file that only its owner reads, never into a pipe or over another file', async () => {
    assertFails(await user(['kit', 'demo'], 'correct horse'), 2, /terminal only.*--out/);
    assert.equal((await user(['kit', 'demo', '--json'], 'correct horse')).code, 2);
    assertFails(await user(['kit', 'demo', '--out', 'kit.txt'], 'wrong'), 6, /passphrase/);
    assert.equal(existsSync(join(folder, 'kit.txt')), false);
    const made = json(await user(['kit', 'demo', '--out', 'kit.txt', '--json'], 'correct horse')) as object;
    assert.deepEqual(Object.keys(made), ['user', 'pendingHosts', 'network', 'created', 'file']);
    assert.equal(statSync(join(folder, 'kit.txt')).mode & 0o777, 0o600);
    const page = readFileSync(join(folder, 'kit.txt'), 'utf8');
    assert.match(page, / 24\. art/);
    const calls = peer.calls.length;
    assertFails(await user(['kit', 'demo', '--out', 'kit.txt'], 'correct horse'), 4, /kit\.txt/);
    assert.equal(peer.calls.length, calls, 'no kit is made that has nowhere to go');
    assert.equal(readFileSync(join(folder, 'kit.txt'), 'utf8'), page);
  });

  it('recover takes words and passphrase from a pipe or from files', async () => {
    const words = KIT_WORDS.join(' ');
    assert.equal((await user(['recover', 'demo'], `${words}\nnew\n`)).code, 0);
    assert.equal(peer.users.passphrase, 'new');
    const files = ['--words-file', file('words', `${words}\n`), '--new-passphrase-file', file('phrase', 'newer')];
    json(await user(['recover', 'demo', ...files, '--json']));
    assert.equal(peer.users.passphrase, 'newer');
    assertFails(await user(['recover', 'demo'], 'nonsense\nnew'), 2, /not in the list/);
    assertFails(await user(['recover'], ''), 2, /name/);
  });

  it('keys rotate shows the end, and Ctrl-C pauses', async () => {
    const done = json(await user(['keys', 'rotate', '--json'], 'correct horse'));
    assert.deepEqual(done, { generation: 2, state: 'none', done: 10, total: 10 });
    const shown = await user(['keys', 'rotate', 'demo', '--entries-per-second', '100'], 'correct horse');
    assert.match(shown.stdout.toString(), /generation 2, and everything is under them/);
    assert.equal(shown.stderr, '', 'there was no kit to miss');
    peer.faults.kit = true;
    assert.match((await user(['keys', 'rotate', 'demo'], 'correct horse')).stderr, /shoal user kit demo/);
    assertFails(await user(['keys', 'rotate', 'demo'], 'wrong'), 6, /passphrase/);
    assertFails(await user(['keys', 'rotate', '--entries-per-second', 'x'], 'x'), 2, /number/);
    assert.match((await user(['keys', 'status', 'demo'])).stdout.toString(), /5 of 10 entries/);
    peer.faults.stall = true;
    const calls = peer.calls.length;
    const child = startCli(['user', 'keys', 'rotate', 'demo'], { home: peer.home });
    child.stdin.end('correct horse');
    while (!peer.calls.slice(calls).includes('POST /v1/keys')) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    assert.equal((await finished(child)).code, 130);
  });
});
