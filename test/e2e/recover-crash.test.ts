/** All databases lost, and the peer that recovers is killed while it does: three processes, 2+1. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import { runCli } from '../../src/cli/run-cli.js';
import { StorageError } from '../../src/errors.js';
import { HOME } from '../../src/home.js';
import { RECOVERED_PER_COMMIT } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { PeerProcesses } from './peer-processes.js';
import { seededBytes, SeededNumbers } from './programs/seeded.js';

/** Several commits of a recovery. */
const FILES = 2.5 * RECOVERED_PER_COMMIT;
const FOLDERS = 50;
const KILLS = 2;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

function contentOf(n: number): Buffer {
  return Buffer.from(seededBytes(`${SEED} ${String(n)}`, 40 + (n % 60)));
}

function pathOf(n: number): string {
  return `${String(n % FOLDERS)}/${String(n)}`;
}

describe(`a recovery that is killed (SHOAL_TEST_SEED=${SEED})`, () => {
  let peers: PeerProcesses;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-recover-'));
    for (let n = 0; n < FOLDERS; n++) mkdirSync(join(folder, 'many', String(n)), { recursive: true });
    for (let n = 0; n < FILES; n++) writeFileSync(join(folder, 'many', pathOf(n)), contentOf(n));
    peers = await PeerProcesses.open(3);
  });
  after(async () => {
    await peers[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function shoal(...words: string[]): ReturnType<typeof runCli> {
    return runCli(words, { home: peers.home(1), cwd: folder });
  }

  /** Breaks off without a failure when the peer is killed. @returns versions that it told to be back */
  async function recoverUntil(killed: (recovered: number) => void): Promise<number> {
    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    let recovered = 0;
    try {
      for await (const { event } of client.recoverCatalog('demo', { dryRun: false })) {
        if (event === 'recovered') recovered++;
        if (event === 'recovered' || event === 'stripes') killed(recovered);
      }
    } catch (error) {
      assert.ok(StorageError.is(error, 'UNAVAILABLE'), String(error));
    }
    return recovered;
  }

  it('goes on where it was, and brings everything back once', async () => {
    assert.equal((await shoal('put', 'many', '/many')).code, 0);
    for (const n of [1, 2, 3]) await peers.kill(n);
    for (const n of [1, 2, 3]) await rm(join(peers.home(n), HOME.documents), { recursive: true });
    await Promise.all([1, 2, 3].map((n) => peers.start(n)));

    const dry = await shoal('recover', 'demo', '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(
      dry.stdout.toString(),
      new RegExp(`${FILES.toLocaleString('en-US')} versions? of files .* would come back`),
    );

    const numbers = new SeededNumbers(SEED);
    for (let kill = 0; kill < KILLS; kill++) {
      let begun = (): void => undefined;
      const first = new Promise<void>((resolve) => (begun = resolve));
      const recovering = recoverUntil(begun);
      await first;
      await sleep(numbers.below(250));
      await peers.kill(1);
      await recovering;
      await peers.start(1);
    }
    const last = await shoal('recover', 'demo', '--json');
    assert.equal(last.code, 0, last.stderr);
    const events = last.stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const done = events.at(-1);
    assert.deepEqual([done?.['event'], done?.['broken'], done?.['unread'], done?.['refused']], ['done', 0, 0, 0]);
    assert.equal(Number(done?.['recovered']) + Number(done?.['known']), FILES);

    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    const files = (await client.list('/many', { recursive: true })).filter(({ type }) => type === 'file');
    assert.equal(files.length, FILES);
    for (const { path } of files.slice(0, 20)) assert.equal((await client.versions(path)).length, 1, path);
    assert.equal((await shoal('get', '/many', 'back')).code, 0);
    for (let n = 0; n < FILES; n++)
      assert.ok(readFileSync(join(folder, 'back', pathOf(n))).equals(contentOf(n)), pathOf(n));
  });
});
