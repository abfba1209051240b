import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { COMMANDS } from './catalogue.js';
import { FakePeer, type FakeFaults } from './fake-peer.js';
import { finished, runCli, startCli, type CliResult } from './run-cli.js';

function json(result: CliResult): unknown {
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout.toString());
}

function assertFails(result: CliResult, exit: number, message: RegExp): void {
  assert.equal(result.code, exit, result.stderr);
  assert.match(result.stderr, message);
  assert.equal(result.stderr.trimEnd().split('\n').at(-1)?.startsWith('shoal: '), true);
}

describe('shoal, against a peer that answers', () => {
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

  async function usePeer(faults: FakeFaults): Promise<void> {
    await peer[Symbol.asyncDispose]();
    peer = await FakePeer.open(faults);
  }

  function shoal(...words: string[]): Promise<CliResult> {
    return runCli(words, { home: peer.home, cwd: folder });
  }

  function local(name: string, content?: string, mode?: number): string {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content, { mode: mode ?? 0o644 });
    return path;
  }

  describe('put', () => {
    it('stores one file and says so in JSON', async () => {
      local('a.txt', 'hello', 0o751);
      const reply = json(await shoal('put', 'a.txt', '/docs/', '--json')) as Record<string, unknown>;
      assert.deepEqual([reply['path'], reply['bytes'], reply['stripes']], ['/docs/a.txt', 5, 1]);
      assert.match(String(reply['version']), /^[0-9a-f]{32}$/);
      assert.equal(peer.text('/docs/a.txt'), 'hello');
      assert.equal(peer.files.get('/docs/a.txt')?.mode, 0o751);
    });

    it('stores a folder and reports what it left out', async () => {
      mkdirSync(local('tree'));
      local('tree/a', '1');
      mkdirSync(local('tree/empty'));
      symlinkSync('a', local('tree/link'));
      local('tree/bad\u0007name', '');
      const result = await shoal('put', 'tree', '/tree', '--json');
      const reply = JSON.parse(result.stdout.toString()) as Record<string, { path: string; reason: string }[]>;
      assert.equal(result.code, 2);
      assert.deepEqual(
        reply['files']?.map((file) => file.path),
        ['/tree/a'],
      );
      assert.equal(reply['failed']?.length, 1);
      assert.equal(reply['skipped']?.[0]?.reason, 'symbolic link');
      assert.ok(peer.folders.has('/tree/empty'));
      assert.match(result.stderr, /^\{"error":\{"code":"INVALID_ARGUMENT","message":.*\}\}\n$/);
    });

    it('stores the others when one of several is missing', async () => {
      local('a', '1');
      const result = await shoal('put', 'a', 'missing', '/to/');
      assertFails(result, 3, /missing/);
      assert.equal(peer.text('/to/a'), '1');
    });

    it('stores standard input', async () => {
      const result = await runCli(['put', '-', '/in', '--json'], { home: peer.home, input: 'from a pipe' });
      assert.equal((json(result) as { bytes: number }).bytes, 11);
      assert.equal(peer.text('/in'), 'from a pipe');
    });

    it('sends the bytes to a peer that cannot read them', async () => {
      await usePeer({ blind: true });
      mkdirSync(local('tree'));
      for (let n = 0; n < 10; n += 1) local(`tree/${String(n)}`, String(n));
      const reply = json(await shoal('put', 'tree', '/tree', '--json')) as { files: unknown[] };
      assert.equal(reply.files.length, 10);
      assert.equal(peer.text('/tree/7'), '7');
    });

    it('needs no JSON to say what it did', async () => {
      local('a', '1');
      const result = await shoal('put', 'a', '/a');
      assert.match(result.stdout.toString(), /^\/a: 1 B in [\d.]+ s \(.* MB\/s\)\.\n$/);
      assert.equal(result.stderr, '');
    });
  });

  describe('get', () => {
    it('fetches a file with its time and permissions', async () => {
      peer.add('/a.txt', 'hello', 0o4751);
      await shoal('get', '/a.txt', '.');
      assert.equal(readFileSync(local('a.txt'), 'utf8'), 'hello');
      assert.equal(statSync(local('a.txt')).mode & 0o7777, 0o751);
      assert.equal(statSync(local('a.txt')).mtimeMs, 1_700_000_000_000);
      assert.deepEqual(readdirSync(folder), ['a.txt']);
    });

    for (const blind of [false, true]) {
      it(`fetches a folder, ${blind ? 'streamed' : 'written by the peer'}`, async () => {
        await usePeer({ blind });
        for (let n = 0; n < 10; n += 1) peer.add(`/tree/sub/${String(n)}`, String(n));
        peer.folders.add('/tree/empty');
        const reply = json(await shoal('get', '/tree', 'out', '--json')) as { files: number };
        assert.equal(reply.files, 10);
        assert.equal(readFileSync(local('out/sub/7'), 'utf8'), '7');
        assert.ok(statSync(local('out/empty')).isDirectory());
        assert.deepEqual(readdirSync(folder), ['out']);
      });
    }

    it('leaves what is there alone, and replaces it when told to', async () => {
      peer.add('/a', 'new');
      local('a', 'old');
      assertFails(await shoal('get', '/a', '.'), 4, /--force/);
      assert.equal(readFileSync(local('a'), 'utf8'), 'old');
      assert.equal((await shoal('get', '/a', '.', '--force')).code, 0);
      assert.equal(readFileSync(local('a'), 'utf8'), 'new');
    });

    it('fetches nothing of a folder when one file is in the way', async () => {
      peer.add('/tree/a', 'new');
      peer.add('/tree/b', 'new');
      mkdirSync(local('tree'));
      local('tree/b', 'old');
      assertFails(await shoal('get', '/tree', '.'), 4, /tree\/b/);
      assert.deepEqual(readdirSync(local('tree')), ['b']);
      assert.ok(!peer.calls.includes('POST /v1/exports'));
    });

    it('does not write through a planted link', async () => {
      peer.add('/tree/sub/a', 'evil');
      mkdirSync(local('tree'));
      mkdirSync(local('elsewhere'));
      symlinkSync(local('elsewhere'), local('tree/sub'));
      assertFails(await shoal('get', '/tree', '.', '--force'), 5, /symbolic link/);
      assert.deepEqual(readdirSync(local('elsewhere')), []);
    });

    it('replaces a planted link to a file, not what it leads to', async () => {
      peer.add('/a', 'new');
      mkdirSync(local('in'));
      local('target', 'old');
      symlinkSync(local('target'), local('in/a'));
      assert.equal((await shoal('get', '/a', 'in', '--force')).code, 0);
      assert.equal(readFileSync(local('target'), 'utf8'), 'old');
      assert.ok(lstatSync(local('in/a')).isFile());
    });

    it('refuses a name that leads out of the folder', async () => {
      const hostile = [{ path: '/tree/../../evil', type: 'file', bytes: 1, modified: '', version: 'v' } as const];
      await usePeer({ hostile });
      peer.add('/tree/a', '1');
      assertFails(await shoal('get', '/tree', '.'), 5, /lead out/);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('gives the others when one file is damaged', async () => {
      await usePeer({ corrupt: ['/tree/b'] });
      for (const name of ['a', 'b', 'c']) peer.add(`/tree/${name}`, name);
      const result = await shoal('get', '/tree', '.');
      assertFails(result, 8, /rebuilt/);
      assert.deepEqual(readdirSync(local('tree')), ['a', 'c']);
    });

    it('leaves nothing when a download breaks off', async () => {
      await usePeer({ blind: true, cut: true });
      peer.add('/a', 'x'.repeat(100_000));
      assertFails(await shoal('get', '/a', '.'), 11, /broke off/);
      assert.deepEqual(readdirSync(folder), []);
    });

    for (const [signal, exit] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      it(`leaves nothing after ${signal}`, async () => {
        await usePeer({ stall: true });
        for (const name of ['a', 'b']) peer.add(`/tree/${name}`, name);
        const child = startCli(['get', '/tree', 'out'], { home: peer.home, cwd: folder });
        const result = finished(child);
        while (!readdirSync(folder).some((name) => existsSync(join(folder, name, '0', '0')))) await turn();
        child.kill(signal);
        assert.equal((await result).code, exit);
        assert.deepEqual(readdirSync(folder), []);
      });
    }

    it('writes to standard output', async () => {
      peer.add('/a', 'hello');
      assert.equal((await shoal('get', '/a', '-')).stdout.toString(), 'hello');
    });
  });

  describe('cat', () => {
    it('writes several files, and ranges of one', async () => {
      peer.add('/a', 'hello ');
      peer.add('/b', 'world');
      assert.equal((await shoal('cat', '/a', '/b')).stdout.toString(), 'hello world');
      assert.equal((await shoal('cat', '/b', '--offset', '1', '--length', '3')).stdout.toString(), 'orl');
      assert.equal((await shoal('cat', '/b', '--offset', '3')).stdout.toString(), 'ld');
      assert.equal((await shoal('cat', '/b', '--length', '0')).stdout.toString(), '');
      assertFails(await shoal('cat', '/b', '--offset', '-1'), 2, /number of bytes/);
    });

    it('ends quietly when its reader goes away', async () => {
      peer.add('/big', Buffer.alloc(8 << 20, 'x'));
      const child = startCli(['cat', '/big'], { home: peer.home });
      await once(child.stdout, 'data');
      child.stdout.destroy();
      const stderr: string[] = [];
      child.stderr.on('data', (part: Buffer) => stderr.push(part.toString()));
      const [code] = (await once(child, 'exit')) as [number];
      assert.deepEqual([code, stderr.join('')], [0, '']);
    });

    it('fails when the bytes end early', async () => {
      await usePeer({ cut: true });
      peer.add('/a', 'x'.repeat(100_000));
      assertFails(await shoal('cat', '/a'), 11, /broke off/);
    });
  });

  describe('the rest', () => {
    it('ls prints the contract', async () => {
      peer.add('/d/a', '1');
      assert.deepEqual(json(await shoal('ls', '/', '--json')), [
        { path: '/d', type: 'folder', bytes: 0, modified: '2023-11-14T22:13:20.000Z', version: null },
      ]);
      const recursive = json(await shoal('--json', 'ls', '-r')) as { path: string }[];
      assert.deepEqual(
        recursive.map((entry) => entry.path),
        ['/d', '/d/a'],
      );
      assert.match((await shoal('ls', '/d')).stdout.toString(), /^ {6}1 B {2}2023-11-1[45] \d\d:\d\d {2}a\n$/);
    });

    it('where prints the contract, and a table', async () => {
      peer.add('/a', '1');
      const where = json(await shoal('where', '/a', '--json')) as Record<string, unknown>;
      assert.deepEqual(Object.keys(where), ['path', 'bytes', 'k', 'm', 'stripes']);
      const text = (await shoal('where', '/a')).stdout.toString();
      assert.match(text, /peer-1 .*peer-6 \(down\)/);
      assert.match(text, /1 of your 6 machines is down\. Any 1 more may fail/);
    });

    it('mv, rm, mkdir and versions do theirs', async () => {
      peer.add('/a', '1');
      json(await shoal('mkdir', '/d', '--json'));
      assert.deepEqual(json(await shoal('mv', '/a', '/d', '--json')), { moved: [{ from: '/a', to: '/d/a' }] });
      assert.equal(peer.text('/d/a'), '1');
      assert.equal((json(await shoal('versions', '/d/a', '--json')) as unknown[]).length, 1);
      assertFails(await shoal('mkdir', '/d'), 4, /already/);
      assertFails(await shoal('rm', '/d'), 15, /folder/);
      assert.deepEqual(json(await shoal('rm', '-r', '/d', '--json')), {
        ...{ files: 1, pendingChunks: 0, pendingHomes: 0 },
        ...{ homes: [], peers: [] },
      });
      assertFails(await shoal('rm', '/d'), 3, /nothing/);
      assert.equal((await shoal('rm', '-f', '/d')).code, 0);
    });

    it('status says what may fail', async () => {
      assert.match((await shoal('status')).stdout.toString(), /Any 1 more may fail/);
      assert.ok('safety' in (json(await shoal('status', '--json')) as object));
    });

    it('unlock takes the passphrase from a pipe or a file', async () => {
      const unlock = (input: string): Promise<CliResult> => runCli(['unlock', 'demo'], { home: peer.home, input });
      assert.equal((await unlock('correct horse\n')).code, 0);
      assertFails(await unlock('wrong'), 6, /passphrase/);
      assertFails(await unlock(''), 2, /empty/);
      local('phrase', 'correct horse\n');
      assert.equal((await shoal('unlock', 'demo', '--passphrase-file', 'phrase')).code, 0);
      assert.equal((await shoal('lock', 'demo')).code, 0);
    });
  });
});

describe('shoal, without a peer', () => {
  let home: string;

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'shoal-none-'));
  });

  after(() => {
    rmSync(home, { recursive: true, force: true });
  });

  it('says that none runs', async () => {
    assertFails(await runCli(['ls'], { home }), 11, /No Shoal peer runs in .*shoal serve/);
    const { stderr } = await runCli(['ls', '--json'], { home });
    assert.match(stderr, /^\{"error":\{"code":"UNAVAILABLE","message":"No Shoal peer runs/);
  });

  it('refuses wrong use with exit code 2', async () => {
    assertFails(await runCli(['putt'], { home }), 2, /'putt'.*Did you mean put\?.*shoal --help/);
    assertFails(await runCli(['ls', '--frobnicate'], { home }), 2, /shoal ls --help/);
    assertFails(await runCli(['put', 'a'], { home }), 2, /what to store and where/);
    assertFails(await runCli(['ls', '/a/../b'], { home }), 2, /"\.\."/);
    assertFails(await runCli(['ls', '/a\u001b[31m'], { home }), 2, /control character/);
    assertFails(await runCli(['devnet', 'status', '--dir', home], { home }), 3, /devnet up/);
  });

  it('explains every command, with examples', async () => {
    assert.match((await runCli([], { home })).stdout.toString(), /Usage: shoal/);
    for (const { name } of COMMANDS) {
      const { code, stdout } = await runCli(['help', name], { home });
      assert.equal(code, 0, name);
      assert.match(stdout.toString(), new RegExp(`Usage: shoal ${name}[^]*--json[^]*Examples:[^]*shoal `), name);
    }
  });

  it('prints a completion script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout } = await runCli(['completion', shell], { home });
      for (const { name } of COMMANDS) assert.match(stdout.toString(), new RegExp(`\\b${name}\\b`));
    }
  });

  it('explains the exit codes', async () => {
    assert.match((await runCli(['help', 'exit-codes'], { home })).stdout.toString(), /130 {2}CANCELLED/);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
