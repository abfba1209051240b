import assert from 'node:assert/strict';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { id, number, session, signal, Subject, TARGETS } from '../../test/contract/removal-subject.js';
import type { FreedStripe } from '../catalog/catalog.js';
import { parseChunkId, parsePeerId, parseStripeId, type PeerId, type StripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { DELETE_RETRY_MIN_MS } from '../limits.js';
import type { FileState } from './put-file.js';
import { keepHouse } from './keep-house.js';
import { carryOutRemovals, collectOrphans, deliverDeletes, removePath } from './remove.js';
import type { StoredStripe, StripeShape } from './worker/protocol.js';

/** Chunks n·10, n·10 + 1 and n·10 + 2. */
function stripe(n: number): StripeShape {
  const chunks = [0, 1, 2].map((index) => parseChunkId(id(10 * n + index)));
  const directory = { directoryOffset: 0, directoryBytes: 0 };
  return { id: parseStripeId(id(n)), k: 2, m: 1, bytes: 100, chunkBytes: 50, ...directory, chunks };
}

function placed(
  n: number,
  peers: readonly (number | undefined)[],
  strays: readonly (readonly [number, number])[] = [],
): NonNullable<StoredStripe['stripe']> {
  return {
    ...stripe(n),
    label: new Uint8Array(),
    placement: peers.map((peer) => (peer === undefined ? undefined : { peer: parsePeerId(id(peer)) })),
    strays: strays.map(([chunk, peer]) => ({ id: parseChunkId(id(chunk)), peer: parsePeerId(id(peer)) })),
  };
}

function file(...stripes: number[]): FileState {
  const extents = stripes.map((n, index) => ({
    fileOffset: index,
    extent: { key: id(9), stripe: parseStripeId(id(n)), offset: 0, sealedBytes: 10, bytes: 1 },
  }));
  const fixed = { file: { path: '/f', modifiedMs: 0, mode: 0 }, id: 'f', version: 'v', createdMs: 0 };
  return { ...fixed, bytes: 1, storedBytes: 1, missingChunks: 0, extents, failed: false } as unknown as FileState;
}

describe('what a put leaves at peers', () => {
  it('is settled by its commit', async (context) => {
    const subject = await Subject.open(context);
    const put = subject.put();
    await put.begin(stripe(5), TARGETS);
    assert.equal(subject.outbox.intents(session.user).length, 1);
    put.stored(placed(5, [1, 2, 3]));
    put.add(file(5));
    await put.commit(0);
    await put.end();
    assert.equal(subject.stored.length, 1);
    assert.deepEqual(subject.outbox.intents(session.user), []);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), []);
    assert.equal(subject.pinned.size, 0);
  });

  it('is deleted, wherever it may lie, when the process ended before a file refers to it', async (context) => {
    const subject = await Subject.open(context);
    await subject.put().begin(stripe(5), TARGETS);
    await subject.put().begin(stripe(6), TARGETS);
    subject.referred.add(stripe(6).id);
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), [], 'a put under way is left alone');
    subject.pinned.clear();
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(), [], 'it may still be arriving');
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS).sort(), ['1 50', '2 51', '3 52', '4 50', '4 51', '4 52']);
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('is kept while the catalog cannot tell whether a file refers to it', async (context) => {
    const subject = await Subject.open(context);
    await subject.put().begin(stripe(5), TARGETS);
    subject.pinned.clear();
    subject.unreferencedFails = new StorageError('UNAVAILABLE', 'A part is missing.');
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), []);
    assert.equal(subject.outbox.intents(session.user).length, 1);
  });

  it('is deleted when its file is refused', async (context) => {
    const subject = await Subject.open(context);
    subject.commitsFail = [new StorageError('CONFLICT', 'There is a folder.')];
    const put = subject.put();
    await put.begin(stripe(5), TARGETS);
    put.stored(placed(5, [1, undefined, 3]));
    put.add(file(5));
    await put.commit(0);
    await put.end();
    assert.deepEqual(subject.failures, subject.commitsFail);
    assert.deepEqual(subject.deletes(), ['1 50', '3 52']);
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('is kept after a commit that broke, for that may have reached the disk, until the catalog is read anew', async (context) => {
    const subject = await Subject.open(context);
    subject.commitsFail = [new StorageError('UNAVAILABLE', 'The disk went away.')];
    const put = subject.put();
    await put.begin(stripe(5), TARGETS);
    put.stored(placed(5, [1, 2, 3]));
    put.add(file(5));
    await put.commit(0);
    await put.end();
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), []);
    assert.deepEqual([...subject.pinned], [stripe(5).id]);
    assert.equal(subject.outbox.intents(session.user).length, 1);
    subject.pinned.clear();
    subject.referred.add(stripe(5).id);
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), [], 'it had reached the disk');
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('is kept after a commit that broke, whatever trying its files one by one came to', async (context) => {
    const subject = await Subject.open(context);
    subject.commitsFail = [
      new StorageError('UNAVAILABLE', 'The connection broke.'),
      new StorageError('LOCKED', 'The service was started anew.'),
    ];
    const put = subject.put();
    for (const n of [5, 6]) {
      await put.begin(stripe(n), TARGETS);
      put.stored(placed(n, [1, 2, 3]));
      put.add(file(n));
    }
    await put.commit(0);
    await put.end();
    assert.deepEqual(
      subject.failures.map(({ code }) => code),
      ['LOCKED', 'LOCKED'],
    );
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), []);
    assert.equal(subject.outbox.intents(session.user).length, 2);
  });

  it('is deleted everywhere when it was cancelled on its way', async (context) => {
    const subject = await Subject.open(context);
    const put = subject.put();
    await put.begin(stripe(5), TARGETS.slice(0, 3));
    await put.end();
    assert.deepEqual(subject.deletes(), []);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), ['1 50', '2 51', '3 52']);
  });

  it('at a target that was replaced is deleted; where none replaced it, it stays for repair', async (context) => {
    const subject = await Subject.open(context);
    const put = subject.put();
    await put.begin(stripe(5), TARGETS);
    put.stored(
      placed(
        5,
        [1, 4, undefined],
        [
          [51, 2],
          [52, 3],
        ],
      ),
    );
    put.add(file(5));
    await put.commit(0);
    await put.end();
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), ['2 51']);
  });

  it('with a file that was removed while its put went on is looked at when the put has ended', async (context) => {
    const subject = await Subject.open(context);
    const put = subject.put();
    for (const n of [5, 6]) {
      await put.begin(stripe(n), TARGETS);
      put.stored(placed(n, [1, 2, 3]));
      put.add(file(n));
      await put.commit(0);
    }
    // Stripe 5 is given up with its file; another file of the put lies in stripe 6, so that is referred to again.
    subject.freed = [5, 6].map((n) => ({
      stripe: stripe(n).id,
      chunks: stripe(n).chunks.map((chunk, i) => ({ id: chunk, peer: parsePeerId(id(i + 1)) })),
    }));
    subject.referred.delete(stripe(5).id);
    await removePath(subject.engine, session, '/f', { recursive: false, forever: true, signal });
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), []);
    await put.end();
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), ['1 50', '2 51', '3 52']);
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });
});

describe('a removal for ever', () => {
  const freed = (n: number): FreedStripe => {
    return { stripe: stripe(n).id, chunks: [{ id: parseChunkId(id(10 * n)), peer: parsePeerId(id(1)) }] };
  };

  const told: StripeId[] = [];
  const carryOut = (subject: Subject, until = signal): Promise<readonly PeerId[]> =>
    carryOutRemovals(subject.engine, session, until, (one) => void told.push(one.stripe));
  beforeEach(() => void told.splice(0));

  it('that is interrupted after the catalog forgot the file leaves nothing behind', async (context) => {
    const subject = await Subject.open(context);
    subject.freed = [freed(5), freed(6)];
    subject.referred.add(stripe(6).id);
    subject.carryOutFails = new Error('killed');
    await assert.rejects(carryOut(subject), /killed/);
    assert.equal(subject.outbox.intents(session.user).length, 2, 'written down before');
    assert.deepEqual([...subject.pinned], []);
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), ['1 50'], 'the file in the other one is there');
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('is carried out once by two who are at it', async (context) => {
    const subject = await Subject.open(context);
    subject.freed = [freed(5)];
    await Promise.all([1, 2].map(() => carryOut(subject)));
    assert.deepEqual(told, [stripe(5).id]);
    assert.deepEqual(subject.deletes(), ['1 50']);
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('that somebody else has carried out first leaves nothing behind', async (context) => {
    const subject = await Subject.open(context);
    subject.freed = [freed(5), freed(6)];
    subject.referred.add(stripe(6).id);
    subject.isCarriedOut = true;
    await carryOut(subject);
    assert.deepEqual(told, []);
    await collectOrphans(subject.engine, session);
    assert.deepEqual(subject.deletes(DELETE_RETRY_MIN_MS), ['1 50']);
    assert.deepEqual(subject.outbox.intents(session.user), []);
  });

  it('says for whom it waits, and goes on when they know', async (context) => {
    const subject = await Subject.open(context);
    subject.waitingFor = [parsePeerId(id(2))];
    const attempt = new AbortController();
    attempt.abort();
    const options = { recursive: false, forever: true, signal: attempt.signal };
    assert.deepEqual(await removePath(subject.engine, session, '/f', options), {
      files: 1,
      pendingChunks: 0,
      pendingHomes: 1,
      homes: ['peer-2'],
      peers: [],
    });
    subject.waitingFor = [];
    subject.freed = [freed(5)];
    assert.deepEqual(await carryOut(subject, attempt.signal), []);
    assert.deepEqual(told, [], 'left for later by whoever is called off');
    await keepHouse(subject.engine, session, signal);
    assert.equal(subject.outbox.pending(stripe(5).id), 1);
  });
});

describe('a deletion that waits for its peer', () => {
  it('is not sent when a file refers to the stripe by then, nor while that cannot be told', async (context) => {
    const subject = await Subject.open(context);
    subject.freed = [5, 6].map((n) => ({
      stripe: stripe(n).id,
      chunks: [{ id: parseChunkId(id(10 * n)), peer: parsePeerId(id(1)) }],
    }));
    await removePath(subject.engine, session, '/f', { recursive: false, forever: true, signal });
    assert.deepEqual(
      subject.outbox.waiting().map(({ peer, chunks, reason }) => [number(peer), chunks, reason]),
      [['1', 2, 'Nobody is there.']],
    );
    subject.areUp = true;
    const later = async (): Promise<readonly string[]> => {
      subject.nowMs += 100 * DELETE_RETRY_MIN_MS;
      await deliverDeletes(subject.engine, session, signal);
      return subject.deleted;
    };
    subject.unreferencedFails = new StorageError('UNAVAILABLE', 'A part is missing.');
    assert.deepEqual(await later(), []);
    subject.unreferencedFails = undefined;
    // Restored at another peer, whose change has arrived meanwhile.
    subject.referred.add(stripe(5).id);
    assert.deepEqual(await later(), ['1 60']);
    assert.equal(subject.outbox.pending(), 0, 'nobody asks for ever whether the file is gone again');
  });
});

describe('the record of a stripe that was removed', () => {
  it('is forgotten when all peers have deleted it, however often that is interrupted', async (context) => {
    const subject = await Subject.open(context);
    subject.freed = [{ stripe: stripe(5).id, chunks: [{ id: parseChunkId(id(50)), peer: parsePeerId(id(1)) }] }];
    subject.areUp = true;
    subject.forgettingFails = new StorageError('UNAVAILABLE', 'The DB Service ended.');
    const options = { recursive: false, forever: true, signal };
    const { pendingChunks } = await removePath(subject.engine, session, '/f', options);
    assert.deepEqual([pendingChunks, subject.forgotten], [1, []]);
    assert.match(subject.outbox.waiting()[0]?.reason ?? '', /The DB Service ended/);
    subject.forgettingFails = undefined;
    subject.nowMs += DELETE_RETRY_MIN_MS;
    await keepHouse(subject.engine, session, signal);
    assert.deepEqual(subject.forgotten, [stripe(5).id]);
    assert.equal(subject.outbox.pending(), 0);
  });
});

describe('a copy too many of a stripe in use', () => {
  /** Chunk 51 lies at peer 4, and a copy of it perhaps at peer 2. */
  async function replaced(context: TestContext): Promise<Subject> {
    const subject = await Subject.open(context);
    const put = subject.put();
    await put.begin(stripe(5), TARGETS);
    put.stored(placed(5, [1, 4, 3], [[51, 2]]));
    put.add(file(5));
    await put.commit(0);
    await put.end();
    subject.areUp = true;
    subject.nowMs += DELETE_RETRY_MIN_MS;
    return subject;
  }

  function move(subject: Subject, peers: readonly (number | undefined)[]): void {
    const record = subject.records.get(stripe(5).id) ?? assert.fail();
    subject.records.set(record.id, { ...record, placement: placed(5, peers).placement });
  }

  it('is deleted, and its stripe is not forgotten', async (context) => {
    const subject = await replaced(context);
    await deliverDeletes(subject.engine, session, signal);
    assert.deepEqual(subject.deleted, ['2 51']);
    assert.deepEqual(subject.forgotten, []);
  });

  it('is not deleted when the chunk was moved there, or is lost elsewhere', async (context) => {
    for (const peers of [
      [1, 2, 3],
      [1, undefined, 3],
    ]) {
      const subject = await replaced(context);
      move(subject, peers);
      await deliverDeletes(subject.engine, session, signal);
      assert.deepEqual(subject.deleted, []);
      assert.equal(subject.outbox.waiting().length, 0);
    }
  });

  it('waits while its record is not known, unless nothing refers to the stripe any more', async (context) => {
    const subject = await replaced(context);
    subject.records.clear();
    const later = async (): Promise<readonly string[]> => {
      subject.nowMs += 100 * DELETE_RETRY_MIN_MS;
      await deliverDeletes(subject.engine, session, signal);
      return subject.deleted;
    };
    assert.deepEqual(await later(), []);
    subject.referred.clear();
    subject.pinned.add(stripe(5).id);
    assert.deepEqual(await later(), [], 'of an upload that goes on');
    subject.pinned.clear();
    assert.deepEqual(await later(), ['2 51']);
  });

  it('waits, too, when its upload ends while the catalog is asked', async (context) => {
    const subject = await replaced(context);
    const record = subject.records.get(stripe(5).id) ?? assert.fail();
    for (const isIntended of [false, true]) {
      subject.records.clear();
      subject.referred.clear();
      if (isIntended) await subject.outbox.intend({ stripe: record.id, owner: session.user, chunks: [], targets: [] });
      else subject.pinned.add(record.id);
      subject.meanwhile = () => {
        subject.referred.add(record.id);
        subject.outbox.settle([record.id]);
        subject.pinned.clear();
        subject.meanwhile = () => undefined;
      };
      subject.nowMs += 100 * DELETE_RETRY_MIN_MS;
      await deliverDeletes(subject.engine, session, signal);
      assert.deepEqual(subject.deleted, []);
    }
    // It took the chunk itself: what lies there is no copy too many.
    subject.records.set(record.id, { ...record, placement: placed(5, [1, 2, 3]).placement });
    subject.nowMs += 100 * DELETE_RETRY_MIN_MS;
    await deliverDeletes(subject.engine, session, signal);
    assert.deepEqual([subject.deleted, subject.outbox.pending()], [[], 0]);
  });
});

describe('a deletion at a peer that was removed', () => {
  it('is not tried for ever', async (context) => {
    const subject = await Subject.open(context);
    const chunks = [1, 2].map((n) => ({ id: parseChunkId(id(50 + n)), peer: parsePeerId(id(n)) }));
    subject.freed = [{ stripe: stripe(5).id, chunks }];
    subject.removedPeers.add('1');
    const options = { recursive: false, forever: true, signal };
    const { pendingChunks, peers } = await removePath(subject.engine, session, '/f', options);
    assert.equal(pendingChunks, 1);
    assert.deepEqual(
      peers.map(({ name, chunks: asked, waiting, removed }) => [name, asked, waiting, removed]),
      [
        ['peer-1', 1, 0, true],
        ['peer-2', 1, 1, false],
      ],
    );
    assert.deepEqual(subject.deletes(100 * DELETE_RETRY_MIN_MS), ['2 52']);
  });
});

describe('keeping house', () => {
  it('does what can be done where something cannot', async (context) => {
    const subject = await Subject.open(context);
    await subject.put().begin(stripe(5), TARGETS);
    subject.pinned.clear();
    subject.freed = [{ stripe: stripe(6).id, chunks: [{ id: parseChunkId(id(60)), peer: parsePeerId(id(1)) }] }];
    subject.areUp = false;
    await removePath(subject.engine, session, '/f', { recursive: false, forever: true, signal });
    assert.deepEqual(subject.deletes(100 * DELETE_RETRY_MIN_MS), ['1 60']);
    subject.unreferencedFails = new StorageError('UNAVAILABLE', 'A part is missing.');
    await keepHouse(subject.engine, session, signal);
    assert.deepEqual(subject.deletes(), [], 'put off by the delivery, though the orphans could not be looked for');
  });
});
