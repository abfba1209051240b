import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../test/contract/offer.js';
import { parseChunkId, parsePeerId, parseStripeId, parseUserId, type StripeId } from '../chunk/ids.js';
import { DELETE_RETRY_MAX_MS, DELETE_RETRY_MIN_MS, MAX_IDS_PER_CALL } from '../limits.js';
import { FORGET_RETRY_MAX_MS, Outbox, type Intent, type PendingDelete } from './outbox.js';
import { openPeerState } from './peer-state.js';

function id(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, value);
  return bytes;
}

const OWNER = parseUserId(id(1));

function pending(peer: number, chunk: number, owner = OWNER): PendingDelete {
  return { peer: parsePeerId(id(peer)), owner, chunk: parseChunkId(id(chunk)), stripe: parseStripeId(id(chunk >> 2)) };
}

interface Opened {
  readonly outbox: Outbox;
  readonly close: () => Promise<void>;
}

/** With the database that it shares with others. */
async function open(directory: string, clock: () => number = Date.now): Promise<Opened> {
  const state = await openPeerState(directory);
  const outbox = Outbox.over(state, clock);
  return {
    outbox,
    close: async () => {
      await outbox.close();
      await state.close();
    },
  };
}

const forget = async (): Promise<void> => undefined;

describe('Outbox', () => {
  it('forgets the deletes and the intents of stripes that are wanted again, over a restart too', async (context) => {
    const directory = await temporaryFolder(context);
    const { outbox: first, close: closeFirst } = await open(directory);
    const [kept, recalled] = [pending(1, 4), pending(1, 9)];
    await first.add([kept, recalled, pending(2, 9)]);
    const intent = { owner: OWNER, chunks: [parseChunkId(id(3))], targets: [parsePeerId(id(1))] };
    const intents = [7, 8].map((n) => ({ ...intent, stripe: parseStripeId(id(n)) }));
    for (const one of intents) await first.intend(one);
    await first.recall([recalled.stripe, parseStripeId(id(7))]);
    assert.equal(first.pending(), 1);
    await closeFirst();
    const { outbox, close } = await open(directory);
    context.after(close);
    assert.deepEqual(
      outbox.due(OWNER).flatMap((batch) => batch.deletes),
      [kept],
    );
    assert.deepEqual(outbox.intents(OWNER), intents.slice(1));
  });

  it('keeps deletes over a restart until they are acknowledged, a batch for each peer', async (context) => {
    const directory = await temporaryFolder(context);
    const { outbox: first, close: closeFirst } = await open(directory);
    const deletes = [pending(1, 4), pending(1, 5), pending(2, 6)];
    await first.add(deletes);
    await first.add([pending(3, 7, parseUserId(id(9)))]);
    await closeFirst();
    const { outbox, close } = await open(directory);
    context.after(close);
    assert.deepEqual(outbox.due(OWNER), [
      { peer: parsePeerId(id(1)), owner: OWNER, deletes: deletes.slice(0, 2) },
      { peer: parsePeerId(id(2)), owner: OWNER, deletes: deletes.slice(2) },
    ]);
    assert.equal(outbox.pending(), 4);
    assert.equal(outbox.pending(parseStripeId(id(1))), 4);
    await outbox.done(deletes.slice(0, 2), forget);
    await outbox.done(deletes.slice(0, 2), forget);
    assert.deepEqual(
      outbox.due(OWNER).flatMap((batch) => batch.deletes),
      deletes.slice(2),
    );
  });

  it('a peer that does not answer is asked ever less often, but for ever', async (context) => {
    let nowMs = 1000;
    const { outbox, close } = await open(await temporaryFolder(context), () => nowMs);
    context.after(close);
    const one = pending(1, 1);
    await outbox.add([one]);
    for (const waitMs of [1, 2, 4, 8].map((factor) => factor * DELETE_RETRY_MIN_MS)) {
      assert.equal(outbox.due(OWNER).length, 1);
      await outbox.postpone([one]);
      assert.equal(outbox.nextDueMs(OWNER), nowMs + waitMs);
      nowMs += waitMs - 1;
      assert.deepEqual(outbox.due(OWNER), []);
      nowMs += 1;
    }
    for (let round = 0; round < 40; round++) await outbox.postpone([one]);
    assert.equal(outbox.nextDueMs(OWNER), nowMs + DELETE_RETRY_MAX_MS);
    await outbox.add([one]);
    assert.equal(outbox.due(OWNER).length, 1, 'asked for anew, it is due at once');
    await outbox.done([one], forget);
    assert.equal(outbox.nextDueMs(OWNER), undefined);
  });

  it('keeps what is to go of a stripe that stays when the stripe is wanted, and the last reason', async (context) => {
    let nowMs = 1000;
    const { outbox, close } = await open(await temporaryFolder(context), () => nowMs);
    context.after(close);
    const one: PendingDelete = { ...pending(1, 1), stays: true };
    await outbox.intend({ stripe: one.stripe, owner: OWNER, chunks: [], targets: [] });
    await outbox.add([one]);
    assert.equal(outbox.intents(OWNER).length, 1, 'its put is not settled by it');
    await outbox.recall([one.stripe]);
    assert.equal(outbox.pending(one.stripe), 0);
    await outbox.postpone([one], 'Too far.');
    await outbox.postpone([one]);
    assert.equal(outbox.waiting()[0]?.reason, 'Too far.');
    nowMs += DELETE_RETRY_MAX_MS;
    assert.deepEqual(outbox.due(OWNER)[0]?.deletes, [one]);
    await outbox.add([pending(1, 1)]);
    assert.equal(outbox.pending(one.stripe), 1, 'the stripe is removed with it');
  });

  it('tells which stripes are to be forgotten, also of two that end at once', async (context) => {
    const { outbox, close } = await open(await temporaryFolder(context));
    context.after(close);
    const [one, two] = [pending(1, 4), pending(2, 5)];
    const staying: PendingDelete = { ...pending(3, 9), stays: true };
    await outbox.add([one, two, staying]);
    const forgotten: StripeId[][] = [];
    const note = async (stripes: readonly StripeId[]): Promise<void> => void forgotten.push([...stripes]);
    await outbox.done([staying], note);
    assert.deepEqual(forgotten, []);
    await Promise.all([outbox.done([one], note), outbox.done([two, one], note)]);
    assert.deepEqual(forgotten, [[one.stripe]]);
    assert.equal(outbox.pending(), 0);
    await outbox.done([two], note);
    assert.equal(forgotten.length, 1);
  });

  it('sends deletes again, ever less often, until their stripe is forgotten', async (context) => {
    let nowMs = 1000;
    const { outbox, close } = await open(await temporaryFolder(context), () => nowMs);
    context.after(close);
    const [one, two] = [pending(1, 4), pending(2, 5)];
    const staying: PendingDelete = { ...pending(1, 9), stays: true };
    await outbox.add([one, two, staying]);
    const broken = async (): Promise<void> => {
      throw new Error('the catalog is full');
    };
    for (const waitMs of [DELETE_RETRY_MIN_MS, 2 * DELETE_RETRY_MIN_MS]) {
      const due = outbox.due(OWNER).flatMap((batch) => batch.deletes);
      assert.equal(due.filter(({ stripe }) => stripe === one.stripe).length, 2);
      await outbox.done(due, broken);
      assert.equal(outbox.pending(), 2, 'the stripe that stays waits for nothing');
      assert.match(outbox.waiting()[0]?.reason ?? '', /the catalog is full/);
      assert.equal(outbox.nextDueMs(OWNER), nowMs + waitMs);
      nowMs += waitMs;
    }
    for (let tries = 0; tries < 20; tries++) await outbox.postpone([one, two]);
    await outbox.done([one, two], broken);
    assert.equal(outbox.nextDueMs(OWNER), nowMs + FORGET_RETRY_MAX_MS, 'however long a peer was away before');
    await outbox.done([one, two], forget);
    assert.equal(outbox.pending(), 0);
  });

  it('keeps what was acknowledged until its stripe is forgotten', async (context) => {
    const { outbox, close } = await open(await temporaryFolder(context));
    context.after(close);
    const one = pending(1, 4);
    await outbox.add([one]);
    let left = 0;
    await outbox.done([one], async () => void (left = outbox.pending()));
    assert.deepEqual([left, outbox.pending()], [1, 0]);
  });

  it('what is kept of a stripe that stays is sent all the same when that is removed by then', async (context) => {
    const { outbox, close } = await open(await temporaryFolder(context));
    context.after(close);
    const one: PendingDelete = { ...pending(1, 1), stays: true };
    await outbox.add([one]);
    await outbox.add([pending(1, 1)]);
    await outbox.keep([one]);
    assert.equal(outbox.pending(one.stripe), 1);
    await outbox.add([one]);
    await outbox.keep([one]);
    assert.equal(outbox.pending(), 0);
  });

  it('a batch is bounded; the rest comes after it', async (context) => {
    const { outbox, close } = await open(await temporaryFolder(context));
    context.after(close);
    const many = Array.from({ length: MAX_IDS_PER_CALL + 5 }, (_, index) => pending(1, index));
    await outbox.add(many);
    const [batch, ...others] = outbox.due(OWNER);
    assert.equal(batch?.deletes.length, MAX_IDS_PER_CALL);
    assert.deepEqual(others, []);
    await outbox.done(batch.deletes, forget);
    assert.deepEqual(outbox.due(OWNER)[0]?.deletes, many.slice(-5));
  });

  it('belongs to one process', async (context) => {
    const directory = await temporaryFolder(context);
    const { close } = await open(directory);
    context.after(close);
    await assert.rejects(open(directory), { code: 'CONFLICT' });
  });

  it('keeps intents over a restart until they are settled', async (context) => {
    const directory = await temporaryFolder(context);
    const intent = (stripe: number, owner = OWNER): Intent => ({
      stripe: parseStripeId(id(stripe)),
      owner,
      chunks: [1, 2, 3].map((chunk) => parseChunkId(id(stripe * 10 + chunk))),
      targets: [1, 2, 3, 4].map((peer) => parsePeerId(id(peer))),
    });
    const { outbox: first, close: closeFirst } = await open(directory);
    await first.intend(intent(1));
    await first.intend(intent(2));
    await first.intend(intent(3));
    await first.intend(intent(4, parseUserId(id(9))));
    first.settle([intent(1).stripe]);
    assert.deepEqual(first.intents(OWNER), [intent(2), intent(3)]);
    await closeFirst();
    const { outbox, close } = await open(directory);
    context.after(close);
    assert.deepEqual(outbox.intents(OWNER), [intent(2), intent(3)]);
    await outbox.add([{ ...pending(1, 21), stripe: intent(2).stripe }, pending(1, 99)]);
    assert.deepEqual(outbox.intents(OWNER), [intent(3)], 'what is to be deleted is settled');
    assert.deepEqual(
      [1, 2, 3, 4].filter((n) => outbox.isIntended(intent(n).stripe)),
      [3, 4],
    );
    outbox.settle([intent(3).stripe]);
    assert.equal(outbox.isIntended(intent(3).stripe), false);
    await outbox.intend(intent(3));
    assert.deepEqual(outbox.intents(OWNER), [intent(3)], 'intended anew');
  });

  it('writes what was settled when it is told to', async (context) => {
    const directory = await temporaryFolder(context);
    const { outbox, close } = await open(directory);
    const stripe = parseStripeId(id(5));
    await outbox.intend({ stripe, owner: OWNER, chunks: [], targets: [] });
    outbox.settle([stripe]);
    assert.deepEqual(outbox.intents(OWNER), []);
    await outbox.flush();
    await close();
    const again = await open(directory);
    context.after(again.close);
    assert.deepEqual(again.outbox.intents(OWNER), []);
  });
});
