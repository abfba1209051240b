import assert from 'node:assert/strict';
import { mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CodedNetwork } from '../../test/contract/coded-network.js';
import { NEVER, offerOf, putOffer, temporaryFolder } from '../../test/contract/offer.js';
import type { ChunkId, StripeId } from '../chunk/ids.js';
import { ScrubCount } from '../counts.js';
import { StorageError } from '../errors.js';
import { MEND_RETRY_MIN_MS, SEGMENT_BYTES, STRAY_AGE_MS } from '../limits.js';
import { silentLogger } from '../log.js';
import { DiskStore } from '../store/disk-store.js';
import { Scrub, type ScrubOptions } from './scrub.js';
import { evenRestMs, leastRestMs } from './scrub-pace.js';
import { healedInWords, snapshot } from './scrub-report.js';
import { inBinary } from './words.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS = 30;

interface Stage {
  readonly directory: string;
  readonly store: DiskStore;
  readonly network: CodedNetwork;
  readonly count: ScrubCount;
  readonly cut: () => Promise<void>;
  readonly pass: (ms: number) => void;
  readonly open: (options?: Partial<ScrubOptions>) => Scrub;
}

async function openStage(context: TestContext): Promise<Stage> {
  const directory = await temporaryFolder(context);
  let nowMs = 1_000 * DAY_MS;
  const clock = (): number => nowMs;
  const store = await DiskStore.open({ directory, clock });
  context.after(() => store.close());
  const network = await CodedNetwork.open({ own: store });
  const count = new ScrubCount();
  const [id = ''] = network.record.chunks;
  return {
    directory: join(directory, 'chunks'),
    store,
    network,
    count,
    cut: () => truncate(join(directory, 'chunks', id.slice(0, 2), id), 2 * SEGMENT_BYTES),
    pass: (ms) => {
      nowMs += ms;
    },
    open: (options = {}) => {
      const pace = { days: DAYS, bytesPerSecond: 1e12, firstMs: 0 };
      const scrub = new Scrub({ network, store, count, clock, logger: silentLogger(), ...pace, ...options });
      context.after(() => scrub.close());
      return scrub;
    },
  };
}

/** A file without a row. @returns its path */
async function leaveFile(directory: string, id: ChunkId, content: Uint8Array): Promise<string> {
  const path = join(directory, id.slice(0, 2), id);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Waits for the background, without a time of its own. */
async function until(isSo: () => boolean): Promise<void> {
  const untilMs = performance.now() + 60_000;
  while (!isSo() && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isSo());
}

describe('a scrub in the background', () => {
  it('leaves alone what is young, and reads what is old, each chunk once', async (context) => {
    const { store, count, pass, open, network } = await openStage(context);
    await putOffer(store, offerOf(3_000));
    pass((DAYS * DAY_MS) / 2 - 1_000);
    await putOffer(store, offerOf(4_000));
    const first = open();
    await until(() => first.state().surveyedMs > 0 && first.state().phase === 'waiting');
    assert.equal(count.chunks, 0);
    await first.close();
    pass(2_000);
    const second = open();
    await until(() => count.chunks === 2);
    await until(() => second.state().phase === 'waiting');
    assert.deepEqual([count.chunks, count.bytes], [2, network.record.chunkBytes + 3_000]);
    assert.equal(second.state().oldestReadMs, 1_000 * DAY_MS + (DAYS * DAY_MS) / 2 - 1_000);
  });

  it('reads at once what a reader found damaged, and mends it', async (context) => {
    const { store, count, cut, open, network } = await openStage(context);
    await cut();
    const [id] = network.record.chunks;
    assert.ok(id !== undefined);
    await assert.rejects(async () => {
      for await (const segment of (await store.get(id, { signal: NEVER })).segments) assert.ok(segment.index < 2);
    }, StorageError);
    open();
    await until(() => count.healedChunks === 1);
    assert.equal(count.healedSegments, 4);
  });

  it('finds all labels that were lost in one look through the records', async (context) => {
    const { store, count, pass, open, network } = await openStage(context);
    const { scrubs } = store.mending;
    for (let n = 0; n < 3; n++) {
      const { record } = await CodedNetwork.open({ own: store });
      network.known.set(record.id, record);
    }
    const records = [...network.known.values()];
    for (const { owner, chunks } of records) {
      for (const id of chunks.slice(0, 1)) await scrubs.relabel(id, { owner, label: new Uint8Array(9) });
    }
    let looks = 0;
    const { self, book, links } = network;
    const { stripeIds } = network.catalog;
    const catalog = {
      ...network.catalog,
      stripeIds: (page: Parameters<typeof stripeIds>[0]) => {
        if (page.after === undefined) looks++;
        return stripeIds(page);
      },
    };
    const scrub = open({ bytesPerSecond: 0, network: { self, book, links, catalog } });
    pass(1);
    await scrub.run({ signal: NEVER });
    assert.deepEqual([count.mendedRows, count.healedChunks, count.chunks, looks], [4, 4, 4, 2]);
    for (const { chunks, label } of records) {
      for (const id of chunks.slice(0, 1)) assert.deepEqual(scrubs.claims(id)[0]?.label, label);
    }
  });

  it('looks for a label that no record had as soon as somebody asks again', async (context) => {
    const { store, count, pass, open, network } = await openStage(context);
    const [id] = network.record.chunks;
    assert.ok(id !== undefined);
    await store.mending.scrubs.relabel(id, { owner: network.record.owner, label: new Uint8Array(9) });
    network.known.clear();
    const scrub = open({ bytesPerSecond: 0 });
    pass(1);
    await scrub.run({ signal: NEVER });
    assert.match(scrub.state().damages[0]?.reason ?? '', /^The label of chunk .* is lost/);
    network.known.set(network.record.id, network.record);
    pass(1);
    await scrub.run({ signal: NEVER });
    assert.deepEqual([scrub.state().damaged, count.mendedRows], [0, 1]);
  });

  it('keeps a damaged file without a row while its record wants it, however old', async (context) => {
    const { directory, store, open, pass, network } = await openStage(context);
    const [lost] = network.record.chunks;
    assert.ok(lost !== undefined);
    await store.drop(network.record.owner, [lost], { signal: NEVER });
    const path = await leaveFile(directory, lost, network.chunks[0]?.subarray(1) ?? new Uint8Array());
    for (const index of [1, 2, 3]) network.alter(index, () => Promise.reject(new StorageError('UNAVAILABLE', 'Away.')));
    const scrub = open({ bytesPerSecond: 0 });
    for (const ms of [Date.now(), 2 * STRAY_AGE_MS, 2 * STRAY_AGE_MS]) {
      pass(ms);
      await scrub.run({ signal: NEVER });
      assert.equal(scrub.state().damaged, 1);
      assert.ok((await stat(path)).size > 0);
    }
  });

  it('removes a file that nothing has wanted for long, and none while a record cannot be read', async (context) => {
    const { directory, open, pass, network, count } = await openStage(context);
    const { header, content } = offerOf(SEGMENT_BYTES);
    const path = await leaveFile(directory, header.id, content);
    const scrub = open({ bytesPerSecond: 0 });
    const isThere = async (ms: number): Promise<boolean> => {
      pass(ms);
      await scrub.run({ signal: NEVER });
      return (await readdir(dirname(path))).length > 0;
    };
    assert.equal(await isThere(Date.now() + STRAY_AGE_MS), true, 'seen for the first time');
    network.unreadable.add('ff'.repeat(32) as StripeId);
    assert.equal(await isThere(2 * STRAY_AGE_MS), true, 'some record may want it');
    network.unreadable.clear();
    assert.equal(await isThere(1), false);
    assert.equal(count.removedFiles, 1);
  });

  it('misses a chunk no more whose stripe was removed, whoever asks', async (context) => {
    const { store, open, network } = await openStage(context);
    const { owner, id, chunks } = network.record;
    const [lost] = chunks;
    assert.ok(lost !== undefined);
    await store.delete(owner, [lost], { signal: NEVER });
    store.mending.scrubs.forgetWithdrawals(Number.MAX_SAFE_INTEGER);
    for (const index of [1, 2, 3]) {
      network.alter(index, () => Promise.reject(new StorageError('NOT_FOUND', 'Deleted.')));
    }
    const scrub = open({ bytesPerSecond: 0 });
    await scrub.run({ signal: NEVER });
    assert.deepEqual(
      scrub.state().damages.map((damage) => damage.id),
      [lost],
    );
    network.known.delete(id);
    await scrub.run({ signal: NEVER });
    assert.equal(scrub.state().damaged, 0);
  });

  it('tries again what could not be mended, at growing intervals', async (context) => {
    const { store, count, cut, pass, open, network } = await openStage(context);
    await cut();
    const [, one, two] = network.stores;
    assert.ok(one !== undefined && two !== undefined);
    const honest = [one.get.bind(one), two.get.bind(two)] as const;
    for (const index of [1, 2]) network.alter(index, () => Promise.reject(new StorageError('UNAVAILABLE', 'Away.')));
    pass(DAYS * DAY_MS);
    const first = open();
    await until(() => count.failures === 1);
    await until(() => first.state().phase === 'waiting');
    await first.close();
    assert.equal(store.mending.scrubs.damages(1)[0]?.tries, 1);
    const second = open();
    await until(() => second.state().phase === 'waiting');
    assert.equal(count.failures, 1);
    await second.close();
    pass(MEND_RETRY_MIN_MS);
    const third = open();
    await until(() => count.failures === 2);
    await third.close();
    const [damage] = store.mending.scrubs.damages(1);
    assert.deepEqual(damage && [damage.tries, damage.nextTryMs - damage.foundMs], [2, 3 * MEND_RETRY_MIN_MS]);
    network.alter(1, honest[0]);
    pass(2 * MEND_RETRY_MIN_MS);
    const fourth = open();
    await until(() => count.healedChunks === 1);
    assert.equal(fourth.state().damaged, 0);
  });

  it('does nothing with a rate of 0, but for whoever asks', async (context) => {
    const { store, count, pass, open } = await openStage(context);
    pass(100 * DAYS * DAY_MS);
    const scrub = open({ bytesPerSecond: 0 });
    assert.equal(scrub.state().phase, 'off');
    const told: unknown[] = [];
    const totals = await scrub.run({
      signal: NEVER,
      onBegin: ({ chunks, bytes }) => told.push(chunks, bytes),
      onRead: (read) => told.push(read),
    });
    const { chunks, bytes } = await store.usage();
    assert.deepEqual(told, [chunks, bytes, { chunks: 1, bytes }]);
    assert.deepEqual([totals.chunks, count.chunks], [1, 1]);
  });

  it('keeps to its rate, and lets go for whoever asks', async (context) => {
    const { store, count, pass, open } = await openStage(context);
    await CodedNetwork.open({ own: store });
    pass(DAYS * DAY_MS);
    // After the first chunk it rests for hours.
    const scrub = open({ bytesPerSecond: 10 });
    await until(() => count.chunks === 1 && scrub.state().phase === 'reading');
    assert.equal((await scrub.run({ signal: NEVER })).chunks, 1);
    assert.equal(count.chunks, 2);
    assert.equal(scrub.state().damaged, 0);
  });

  it('waits while transfers run, but not for ever', async (context) => {
    const { count, pass, open } = await openStage(context);
    pass(DAYS * DAY_MS);
    let asked = 0;
    const scrub = open({
      bytesPerSecond: 0,
      isBusy: () => {
        asked++;
        return asked < 4;
      },
    });
    await scrub.run({ signal: NEVER });
    assert.ok(asked >= 4);
    assert.equal(count.chunks, 1);
  });

  it('ends with the peer in the middle of a wait', async (context) => {
    const { open } = await openStage(context);
    const scrub = open({ bytesPerSecond: 0, isBusy: () => true });
    const running = scrub.run({ signal: NEVER });
    await scrub.close();
    await assert.rejects(running, { code: 'UNAVAILABLE', message: 'The peer is stopping.' });
  });
});

describe('the pace of a scrub', () => {
  it('keeps below the rate, and spreads the store over half of its days', () => {
    const pace = { days: DAYS, bytesPerSecond: 1_000_000 };
    assert.equal(leastRestMs(pace, 4_000_000), 4_000);
    assert.equal(evenRestMs(pace, 1, 100), (DAYS * DAY_MS) / 200);
    assert.equal(evenRestMs(pace, 0, 0), 0);
    const faster = { days: DAYS, bytesPerSecond: 1e12 };
    assert.ok(leastRestMs(faster, 4_000_000) < 1, 'more than any disk gives: the disk sets the pace');
  });
});

describe('what was mended, in words', () => {
  it('is one sentence', () => {
    const none = snapshot(new ScrubCount());
    assert.equal(healedInWords(none), '');
    assert.equal(
      healedInWords({ ...none, healedSegments: 3, healedBytes: 3 * 65_536, movedBytes: 12 * 65_536 }),
      '3 segments (192 KiB) healed, moved 768 KiB',
    );
    assert.equal(
      healedInWords({ ...none, adoptedChunks: 1, removedFiles: 2, mendedRows: 1, failures: 1 }),
      '1 chunk taken up again whose row was lost; 1 label or hash list found again; 2 files removed that belonged to nothing; 1 damaged chunk could not be mended yet',
    );
    assert.deepEqual([0, 1023, 1024, 1536 * 1024].map(inBinary), ['0 bytes', '1023 bytes', '1 KiB', '1.5 MiB']);
  });
});
