/** Large puts that go on where they were, after kill -9, SIGTERM and Ctrl-C: three processes, 2+1. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import { finished, runCli, startCli, type CliResult } from '../../src/cli/run-cli.js';
import type { PutReply, UploadReply } from '../../src/gateways/http/api.js';
import { socketPath } from '../../src/socket-path.js';
import { NEVER } from '../contract/offer.js';
import { PeerProcesses } from './peer-processes.js';
import { seededBytes, SeededNumbers } from './programs/seeded.js';

const MIB = 1024 * 1024;
const BYTES = 80 * MIB + 123;
const KILLS = 4;
/** What is waited for comes within seconds, on a busy machine within a minute. */
const PATIENCE_MS = 120_000;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  assert.fail(`${what} within ${String(PATIENCE_MS)} ms`);
}

describe(`large puts that are broken off (SHOAL_TEST_SEED=${SEED})`, () => {
  const bytes = seededBytes(SEED, BYTES);
  let peers: PeerProcesses;
  let local: string;

  before(async () => {
    peers = await PeerProcesses.open(3);
    local = join(peers.home(1), '..', 'large');
    await writeFile(local, bytes);
  });
  after(() => peers[Symbol.asyncDispose]());

  async function uploads(): Promise<readonly UploadReply[]> {
    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    return await client.uploads();
  }

  /** Begins or goes on with `shoal put`, and breaks it off when so much of it is stored. */
  async function putUntil(
    path: string,
    storedBytes: number,
    breakOff: (cli: ChildProcess) => Promise<void>,
  ): Promise<CliResult> {
    const cli = startCli(['put', local, path], { home: peers.home(1) });
    const result = finished(cli);
    await until(`${String(storedBytes)} bytes of ${path} are stored`, async () => {
      const upload = (await uploads()).find((one) => one.path === path);
      return upload !== undefined && upload.storedBytes >= storedBytes ? upload : undefined;
    });
    await breakOff(cli);
    return await result;
  }

  async function assertWhole(path: string): Promise<void> {
    const fetched = await runCli(['cat', path], { home: peers.home(1) });
    assert.equal(fetched.code, 0, fetched.stderr);
    assert.ok(fetched.stdout.equals(bytes), `${path} is whole`);
  }

  /** Nothing lies at peer 1 that no file refers to. */
  async function assertNothingLeft(paths: readonly string[]): Promise<void> {
    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    const { peer } = await client.status();
    let expected = 0;
    for (const path of paths) {
      for (const { chunks } of (await client.where(path)).stripes)
        for (const chunk of chunks) if (chunk.peer === peer.id) expected += chunk.bytes;
    }
    await until(`${String(expected)} bytes at peer 1`, async () => {
      const { store, outbox } = await client.status();
      return store?.bytes === expected && outbox.pendingDeletes === 0 ? true : undefined;
    });
  }

  it('kill -9 of the peer, again and again: the put goes on, and stores once', async () => {
    const numbers = new SeededNumbers(SEED);
    let stored = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const result = await putUntil('/killed', stored + MIB + numbers.below(8 * MIB), async () => {
        await sleep(numbers.below(100));
        await peers.kill(1);
      });
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /is kept for seven days, and the same command goes on with it/);
      await peers.start(1);
      const [upload, ...others] = await uploads();
      assert.ok(upload !== undefined && others.length === 0);
      assert.ok(upload.storedBytes > stored, `${String(upload.storedBytes)} after ${String(stored)}`);
      stored = upload.storedBytes;
    }
    const last = await runCli(['put', '--json', local, '/killed'], { home: peers.home(1) });
    assert.equal(last.code, 0, last.stderr);
    const reply = JSON.parse(last.stdout.toString()) as PutReply & { readonly resumedBytes: number };
    assert.deepEqual([reply.bytes, reply.resumedBytes], [BYTES, stored]);
    assert.deepEqual(await uploads(), []);
    await assertWhole('/killed');
    await assertNothingLeft(['/killed']);
  });

  it('Ctrl-C, and SIGTERM of the peer with no time left: the put says what is kept, and resumes', async () => {
    const cancelled = await putUntil('/ended', 10 * MIB, async (cli) => {
      cli.kill('SIGINT');
      await Promise.resolve();
    });
    assert.equal(cancelled.code, 130);
    assert.match(cancelled.stderr, /is kept for seven days/);
    const [upload] = await uploads();
    assert.ok(upload !== undefined);
    const terminated = await putUntil('/ended', upload.storedBytes + MIB, () => peers.terminate(1));
    assert.notEqual(terminated.code, 0);
    await peers.start(1);
    const last = await runCli(['put', local, '/ended'], { home: peers.home(1) });
    assert.equal(last.code, 0, last.stderr);
    assert.match(last.stderr, /resuming at \d+\.\d MB/);
    await assertWhole('/ended');
    await assertNothingLeft(['/killed', '/ended']);
  });

  it('an upload by tus goes on after kill -9, and `shoal uploads` gives one up', async () => {
    const ask = (method: string, path: string, headers: http.OutgoingHttpHeaders): http.ClientRequest => {
      const socket = socketPath(peers.home(1), 'control');
      const all = { 'tus-resumable': '1.0.0', ...headers };
      return http.request({ socketPath: socket, method, path, headers: all, agent: false });
    };
    const answer = (outgoing: http.ClientRequest): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        outgoing.on('error', reject);
        outgoing.once('response', (response: http.IncomingMessage) => {
          response.resume();
          resolve(response);
        });
      });
    const metadata = `path ${Buffer.from('/tus').toString('base64')}`;
    const created = await answer(
      ask('POST', '/v1/uploads', { 'upload-length': BYTES, 'upload-metadata': metadata }).end(),
    );
    const upload = new URL(String(created.headers.location), 'http://localhost/v1/uploads').pathname;
    const bytesHeaders = { 'content-type': 'application/offset+octet-stream' };
    const sending = ask('PATCH', upload, { ...bytesHeaders, 'upload-offset': 0, 'content-length': BYTES });
    const broken = answer(sending).then(
      () => false,
      () => true,
    );
    sending.write(bytes.subarray(0, 40 * MIB));
    await until('a stripe', async () => ((await uploads())[0]?.storedBytes ?? 0) > 0 || undefined);
    await peers.kill(1);
    assert.ok(await broken);
    await peers.start(1);
    const { headers } = await answer(ask('HEAD', upload, {}).end());
    const offset = Number(headers['upload-offset']);
    assert.ok(offset > 0 && offset <= 40 * MIB, String(offset));
    const rest = ask('PATCH', upload, { ...bytesHeaders, 'upload-offset': offset, 'content-length': BYTES - offset });
    rest.end(bytes.subarray(offset));
    const done = await answer(rest);
    assert.deepEqual([done.statusCode, done.headers['upload-offset']], [204, String(BYTES)]);
    await assertWhole('/tus');

    await putUntil('/given-up', MIB, async (cli) => {
      cli.kill('SIGINT');
      await Promise.resolve();
    });
    const listed = await runCli(['uploads', 'list'], { home: peers.home(1) });
    assert.match(listed.stdout.toString(), /\/given-up/);
    const removed = await runCli(['uploads', 'rm', '/given-up'], { home: peers.home(1) });
    assert.equal(removed.code, 0, removed.stderr);
    assert.match(removed.stdout.toString(), /^1 upload given up/);
    assert.deepEqual(await uploads(), []);
    await assertNothingLeft(['/killed', '/ended', '/tus']);
  });
});
