/** The program against real peers: six processes on this machine. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isRunning, identify } from '../../src/cli/devnet/process-identity.js';
import { runCli, type CliResult } from '../../src/cli/run-cli.js';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('shoal with six peers', () => {
  let folder: string;
  let net: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-e2e-'));
    net = join(folder, 'net');
    ok(await devnet('up', '--peers', '6'));
  });

  after(async () => {
    const { peers } = (await devnetStatus()) as { peers: { pid: number }[] };
    ok(await devnet('down'));
    for (const { pid } of peers) {
      const left = identify(pid);
      assert.ok(left === undefined || !isRunning(left));
    }
    rmSync(folder, { recursive: true, force: true });
  });

  function devnet(...words: string[]): Promise<CliResult> {
    return runCli(['devnet', ...words, '--dir', net], { home: folder });
  }

  async function devnetStatus(): Promise<unknown> {
    return json(await devnet('status', '--json'));
  }

  function shoal(...words: string[]): Promise<CliResult> {
    return runCli(words, { home: join(net, 'peer-1'), cwd: folder });
  }

  function at(peer: number, ...words: string[]): Promise<CliResult> {
    return runCli(words, { home: join(net, `peer-${String(peer)}`), cwd: folder });
  }

  it('says which processes run', async () => {
    const { peers } = (await devnetStatus()) as { peers: Record<string, unknown>[] };
    assert.deepEqual(
      peers.map(({ n, home, up }) => [n, home, up]),
      [1, 2, 3, 4, 5, 6].map((n) => [n, join(net, `peer-${String(n)}`), true]),
    );
    for (const { pid, id } of peers) {
      assert.ok(isRunning(identify(Number(pid)) ?? { pid: 0, started: '' }));
      assert.match(String(id), /^[0-9a-f]{64}$/);
    }
    ok(await devnet('up'));
    assert.deepEqual(((await devnetStatus()) as { peers: unknown }).peers, peers);
  });

  it('stores a file, says where it lies, and gives it back', async () => {
    const bytes = randomBytes(5 * MIB + 123);
    writeFileSync(join(folder, 'film.bin'), bytes, { mode: 0o640 });
    const put = json(await shoal('put', 'film.bin', '/film.bin', '--json')) as Record<string, unknown>;
    assert.deepEqual([put['path'], put['bytes'], put['stripes']], ['/film.bin', bytes.length, 1]);
    const where = json(await shoal('where', '/film.bin', '--json')) as {
      k: number;
      m: number;
      stripes: { chunks: { index: number; peer: string }[] }[];
    };
    assert.deepEqual([where.k, where.m], [4, 2]);
    assert.equal(new Set(where.stripes[0]?.chunks.map((chunk) => chunk.peer)).size, 6);
    ok(await shoal('get', '/film.bin', 'back.bin'));
    assert.ok(readFileSync(join(folder, 'back.bin')).equals(bytes));
    assert.equal(statSync(join(folder, 'back.bin')).mode & 0o777, 0o640);
    const range = await shoal('cat', '/film.bin', '--offset', String(MIB - 1), '--length', '100');
    assert.ok(range.stdout.equals(bytes.subarray(MIB - 1, MIB + 99)));
  });

  it('finds a bit that has flipped on the disk of a peer, and mends it', async () => {
    const store = join(net, 'peer-2', 'chunks', 'chunks');
    const [chunk] = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 64);
    assert.ok(chunk !== undefined);
    const right = readFileSync(join(store, chunk));
    const rotten = Buffer.from(right);
    rotten.writeUInt8(rotten.readUInt8(200_000) ^ 8, 200_000);
    writeFileSync(join(store, chunk), rotten);
    const done = json(await at(2, 'scrub', '--now', '--json')) as { words: string; damaged: number };
    assert.deepEqual([done.words, done.damaged], ['1 segment (128 KiB) healed, moved 512 KiB', 0]);
    assert.ok(readFileSync(join(store, chunk)).equals(right));
    const again = await at(2, 'scrub', '--now');
    assert.match(again.stdout.toString(), /^\d+ chunks? \(.+\) read: nothing was wrong\.\n$/);
    const state = await at(2, 'scrub');
    assert.match(
      state.stdout.toString(),
      /^Every chunk is read once in 30 days, .*\n(.*\n)*.* 1 segment \(128 KiB\) healed/m,
    );
  });

  it('stores and gives back through pipes, also nothing at all', async () => {
    for (const input of [randomBytes(300 * KIB), Buffer.alloc(0)]) {
      ok(await runCli(['put', '-', '/piped'], { home: join(net, 'peer-1'), input }));
      assert.ok((await shoal('cat', '/piped')).stdout.equals(input));
    }
    const versions = json(await shoal('versions', '/piped', '--json')) as { version: string; bytes: number }[];
    assert.equal(versions.length, 2);
    const older = versions.find((one) => one.bytes > 0);
    const old = await shoal('get', '/piped', '-', '--version', older?.version ?? '');
    assert.equal(old.stdout.length, 300 * KIB);
  });

  it('stores and gives back a folder', async () => {
    mkdirSync(join(folder, 'tree/sub/empty'), { recursive: true });
    for (let n = 0; n < 50; n += 1) writeFileSync(join(folder, `tree/sub/${String(n)}`), randomBytes(n * 100));
    writeFileSync(join(folder, 'tree/ünï 猫'), 'name');
    const put = json(await shoal('put', 'tree', '/tree', '--json')) as { files: unknown[]; failed: unknown[] };
    assert.deepEqual([put.files.length, put.failed.length], [51, 0]);
    ok(await shoal('get', '/tree', 'tree-back'));
    assert.deepEqual(contents(join(folder, 'tree-back')), contents(join(folder, 'tree')));
  });

  it('moves and removes', async () => {
    ok(await runCli(['put', '-', '/move/me'], { home: join(net, 'peer-1'), input: 'x' }));
    fails(await shoal('mv', '/move/me', '/moved/there'), 3);
    ok(await shoal('mkdir', '/moved'));
    ok(await shoal('mv', '/move/me', '/moved/there'));
    fails(await shoal('cat', '/move/me'), 3);
    assert.equal((await shoal('cat', '/moved/there')).stdout.toString(), 'x');
    fails(await shoal('rm', '/moved'), 15);
    ok(await shoal('rm', '-r', '/moved'));
    fails(await shoal('ls', '/moved'), 3);
  });

  it('takes back what was removed, unless it was removed for ever', async () => {
    assert.match((await shoal('ls', '--deleted')).stdout.toString(), /\/moved\/ {2}\(1 file\)/);
    ok(await shoal('restore', '/moved/there'));
    assert.equal((await shoal('cat', '/moved/there')).stdout.toString(), 'x');
    ok(await shoal('restore', '/moved'));
    ok(await shoal('ls', '/moved (2)'));
    ok(await shoal('rm', '-r', '--forever', '/moved', '/moved (2)'));
    fails(await shoal('restore', '/moved'), 3);
    ok(await shoal('trash', 'empty'));
    assert.equal((await shoal('ls', '--deleted')).stdout.toString(), '');
  });

  it('refuses what cannot be, each with its exit code', async () => {
    fails(await shoal('get', '/nothing/here', 'x'), 3);
    fails(await shoal('put', 'no-such-file', '/x'), 3);
    fails(await shoal('put', 'film.bin', '/a/../b'), 2);
    fails(await shoal('put', 'film.bin', '/a\u0007b'), 2);
    fails(await shoal('versions', '/nothing'), 3);
    fails(await runCli(['unlock', 'demo'], { home: join(net, 'peer-2'), input: 'wrong' }), 6);
    fails(await runCli(['unlock', 'nobody'], { home: join(net, 'peer-2'), input: 'wrong' }), 6);
  });

  it(
    'names an unreadable folder and stores the rest',
    { skip: process.getuid?.() === 0 && 'root reads all' },
    async () => {
      mkdirSync(join(folder, 'half/closed'), { recursive: true });
      writeFileSync(join(folder, 'half/open'), '1');
      chmodSync(join(folder, 'half/closed'), 0);
      const result = await shoal('put', 'half', '/half');
      chmodSync(join(folder, 'half/closed'), 0o700);
      fails(result, 5);
      assert.match(result.stderr, /half\/closed/);
      assert.equal((await shoal('cat', '/half/open')).stdout.toString(), '1');
    },
  );

  it('gives everything back without two peers, and says so', async () => {
    const bytes = randomBytes(3 * MIB);
    writeFileSync(join(folder, 'safe.bin'), bytes);
    ok(await shoal('put', 'safe.bin', '/safe.bin'));
    ok(await devnet('stop', '3', '--kill'));
    ok(await devnet('stop', '5'));
    assert.ok((await shoal('cat', '/safe.bin')).stdout.equals(bytes));
    ok(await devnet('start', '3'));
    ok(await devnet('up'));
    assert.ok((await shoal('cat', '/safe.bin')).stdout.equals(bytes));
  });

  it('locks and unlocks', async () => {
    const passphrase = join(net, 'peer-4', 'demo.passphrase');
    ok(await at(4, 'lock', 'demo'));
    fails(await at(4, 'ls'), 7);
    ok(await at(4, 'unlock', 'demo', '--passphrase-file', passphrase));
    ok(await at(4, 'ls'));
  });
});

function ok(result: CliResult): void {
  assert.equal(result.code, 0, result.stderr);
}

function fails(result: CliResult, exit: number): void {
  assert.equal(result.code, exit, result.stderr);
  assert.match(result.stderr, /^shoal: .+\n$/m);
}

function json(result: CliResult): unknown {
  ok(result);
  return JSON.parse(result.stdout.toString());
}

/** Path → bytes in hex, or "folder". */
function contents(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const shown = entries.map((name) => {
    const path = join(folder, name);
    return [name, statSync(path).isDirectory() ? 'folder' : readFileSync(path, 'hex')];
  });
  return Object.fromEntries(shown) as Record<string, string>;
}
