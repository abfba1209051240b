/** Whole peers, killed in the middle of puts: three processes, 2+1. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import { StorageError } from '../../src/errors.js';
import { NEVER } from '../contract/offer.js';
import { PeerProcesses } from './peer-processes.js';
import { seededBytes, SeededNumbers } from './programs/seeded.js';

const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
const RECEIVER_KILLS = 5;
const SOURCE_KILLS = 8;
/** A slow machine may need more of them until something was acknowledged before one. */
const MOST_SOURCE_KILLS = 32;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

/** What was put, and what is known of it. */
interface Tries {
  /** Bytes of each path, by the seed that makes them again. */
  readonly begun: Map<string, { readonly seed: string; readonly bytes: number }>;
  readonly acknowledged: Set<string>;
}

async function download(client: ControlClient, path: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of client.download(path)) parts.push(part);
  return Buffer.concat(parts);
}

/** What was acknowledged is there, and whatever is there is whole. */
async function verify(client: ControlClient, folder: string, { begun, acknowledged }: Tries): Promise<void> {
  const entries =
    acknowledged.size === 0 && (await client.statIfThere(folder)) === undefined
      ? []
      : await client.list(folder, { recursive: true });
  const visible = new Map(entries.filter(({ type }) => type === 'file').map(({ path, bytes }) => [path, bytes]));
  for (const path of acknowledged) assert.ok(visible.has(path), `${path} was acknowledged`);
  for (const [path, bytes] of visible) {
    const put = begun.get(path);
    assert.ok(put !== undefined, `${path} was put`);
    assert.equal(bytes, put.bytes);
    assert.ok((await download(client, path)).equals(seededBytes(put.seed, put.bytes)), `${path} is whole`);
  }
}

async function* pieces(bytes: Uint8Array, onPiece?: (at: number) => void): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    onPiece?.(at);
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

/** @returns why it failed; undefined when it was acknowledged */
async function put(
  client: ControlClient,
  path: string,
  bytes: number,
  { begun, acknowledged, onPiece }: Tries & { readonly onPiece?: (at: number) => void },
): Promise<StorageError | undefined> {
  const seed = `${SEED} ${path}`;
  begun.set(path, { seed, bytes });
  try {
    assert.equal((await client.upload(path, pieces(seededBytes(seed, bytes), onPiece))).bytes, bytes);
    acknowledged.add(path);
    return undefined;
  } catch (error) {
    if (StorageError.is(error)) return error;
    throw error;
  }
}

describe(`peers that are killed in the middle of puts (SHOAL_TEST_SEED=${SEED})`, () => {
  let peers: PeerProcesses;

  before(async () => {
    peers = await PeerProcesses.open(3);
  });
  after(() => peers[Symbol.asyncDispose]());

  it('a receiving peer: the put succeeds or fails cleanly, and everything acknowledged reads back', async () => {
    const numbers = new SeededNumbers(`${SEED} receiver`);
    const tries: Tries = { begun: new Map(), acknowledged: new Set() };
    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    const failures: StorageError[] = [];
    for (let kill = 0; kill < RECEIVER_KILLS; kill++) {
      let putting: Promise<StorageError | undefined> | undefined;
      const victim = 2 + numbers.below(2);
      const bytes = 10 * MIB + numbers.below(8 * MIB);
      // The first stripe leaves when 8 MiB are there.
      const killAt = 8 * MIB + numbers.below(bytes - 8 * MIB);
      const reached = new Promise<void>((resolve) => {
        const onPiece = (at: number): void => {
          if (at + PIECE_BYTES > killAt) resolve();
        };
        putting = put(client, `/receiver/${String(kill)}`, bytes, { ...tries, onPiece });
      });
      await reached;
      await sleep(numbers.below(50));
      await peers.kill(victim);
      await peers.start(victim);
      const failure = await putting;
      if (failure !== undefined) failures.push(failure);
    }
    for (const { code, message } of failures) assert.ok(['UNAVAILABLE', 'TOO_FEW_PEERS'].includes(code), message);
    assert.equal(await put(client, '/receiver/last', MIB, tries), undefined);
    await verify(client, '/receiver', tries);
    const visible = await client.list('/receiver', { recursive: true });
    assert.deepEqual(new Set(visible.map(({ path }) => path)), tries.acknowledged);
  });

  it('the source peer: what was acknowledged is there, what was not is whole or not there', async () => {
    const numbers = new SeededNumbers(`${SEED} source`);
    const tries: Tries = { begun: new Map(), acknowledged: new Set() };
    const enough = (kills: number): boolean => kills >= SOURCE_KILLS && tries.acknowledged.size > 0;
    for (let kill = 0; !enough(kill) && kill < MOST_SOURCE_KILLS; kill++) {
      await using client = new ControlClient(peers.home(1), { signal: NEVER });
      const lanes = ['a', 'b'].map(async (lane) => {
        for (let turn = 0; ; turn++) {
          // One in three fills a stripe and more.
          const bytes = numbers.below(3) === 0 ? 9 * MIB : 1 + numbers.below(200_000);
          const failure = await put(client, `/source/${String(kill)}-${lane}-${String(turn)}`, bytes, tries);
          if (failure === undefined) continue;
          assert.equal(failure.code, 'UNAVAILABLE', failure.message);
          return;
        }
      });
      await sleep(100 + numbers.below(700));
      await peers.kill(1);
      await Promise.all(lanes);
      await peers.start(1);
    }
    await using client = new ControlClient(peers.home(1), { signal: NEVER });
    assert.ok(tries.acknowledged.size > 0, 'something was stored');
    await verify(client, '/source', tries);
    assert.equal(await put(client, '/source/last', MIB, tries), undefined);
  });
});
