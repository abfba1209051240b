import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { OTHER, SELF, signal, stripeOf, Subject } from '../../../test/contract/garbage-subject.js';
import { deriveUserKeys, newRootKey } from '../../crypto/root-key.js';
import { StorageError } from '../../errors.js';
import {
  GARBAGE_AGE_MS,
  GARBAGE_LISTINGS,
  HOMES_RETRY_MS,
  INVENTORY_INTERVAL_MS,
  INVENTORY_RETRY_MS,
  MANY_STRAYS,
  STRAYS_PER_SWEEP,
} from '../../limits.js';
import { collectGarbage } from './garbage.js';
import { homeLookup } from './homes.js';

describe('a chunk that no file refers to', () => {
  it('is deleted when two listings so far apart had it; what a file refers to, and what is another’s, is not', async (context) => {
    const subject = await Subject.open(context);
    const [used, strange] = [stripeOf(subject.keys), stripeOf(deriveUserKeys(newRootKey()))];
    subject.referred.add(used.id);
    await subject.watch();
    const stray = stripeOf(subject.keys);
    const forged = stripeOf(subject.keys, deriveUserKeys(newRootKey()));
    for (const stripe of [used, strange, forged, stray]) subject.lay(OTHER, stripe, 0);
    subject.lay(SELF, stray, 1);
    assert.deepEqual(await subject.collect(), []);
    await subject.passGrace(GARBAGE_AGE_MS - 1);
    assert.deepEqual(await subject.collect(), [], 'too early');
    subject.nowMs += 1;
    assert.deepEqual(await subject.collect(), [`other ${stray.chunks[0] ?? ''}`, `self ${stray.chunks[1] ?? ''}`]);
  });

  it('that was there before this peer watched is deleted by an order alone', async (context) => {
    const subject = await Subject.open(context);
    const old = stripeOf(subject.keys);
    subject.lay(OTHER, old, 0);
    await subject.watch();
    // Repair has moved a chunk of it meanwhile.
    subject.lay(SELF, old, 1);
    await subject.collect();
    await subject.passGrace();
    assert.deepEqual(await subject.collect(), []);
    const [told] = subject.strays.totals().filter(({ peer }) => peer === SELF);
    assert.deepEqual([told?.chunks, told?.oldChunks], [1, 1]);
    assert.equal((await subject.collect(true)).length, 2);
  });

  it('is kept when a file refers to it again, when it is pinned, noted for a put, or the catalog is not whole', async (context) => {
    const subject = await Subject.open(context);
    const ripe = await subject.ripeStray();
    const id = subject.strayStripe();
    subject.isWhole = false;
    assert.deepEqual(await subject.collect(), []);
    subject.isWhole = true;
    subject.rotation = 'running';
    assert.deepEqual(await subject.collect(), []);
    subject.rotation = 'none';
    subject.pinned.add(id);
    assert.deepEqual(await subject.collect(), []);
    subject.pinned.clear();
    await subject.outbox.intend({ stripe: id, owner: subject.session.user, chunks: [], targets: [] });
    assert.deepEqual(await subject.collect(), []);
    subject.outbox.settle([id]);
    subject.referred.add(id);
    assert.deepEqual(await subject.collect(), []);
    subject.referred.clear();
    assert.deepEqual(await subject.collect(), [], 'it is one only from now on');
    await subject.passGrace();
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('is none when its put ends while the catalog is asked', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stripe = stripeOf(subject.keys);
    subject.lay(OTHER, stripe, 0);
    subject.pinned.add(stripe.id);
    subject.meanwhile = () => {
      subject.referred.add(stripe.id);
      subject.pinned.clear();
    };
    await subject.list();
    assert.equal(subject.strays.counts(subject.session.user).strays, 0);
  });

  it('stays in the outbox with the reason when its peer refuses to delete it, and is not begun twice', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    await subject.collect();
    await subject.passGrace();
    await subject.collect();
    const [waiting, ...others] = subject.outbox.waiting();
    assert.deepEqual(others, []);
    assert.deepEqual([waiting?.peer, waiting?.chunks, waiting?.reason], [OTHER, 1, 'It deletes nothing.']);
    assert.deepEqual(subject.strays.totals(), []);
  });
});

describe('two listings', () => {
  it('are not enough: a clock that was put forward makes them lie far apart', async (context) => {
    const subject = await Subject.open(context);
    const stray = stripeOf(subject.keys);
    await subject.watch();
    subject.lay(OTHER, stray, 0);
    await subject.collect();
    subject.nowMs += GARBAGE_AGE_MS;
    for (let n = 2; n < GARBAGE_LISTINGS; n++) assert.deepEqual(await subject.collect(), []);
    assert.equal((await subject.collect()).length, 1);
  });
});

describe('homes of the user', () => {
  async function atTwo(context: TestContext): Promise<{ readonly subject: Subject; readonly ripe: string }> {
    const subject = await Subject.open(context);
    subject.homes = [SELF, OTHER];
    return { subject, ripe: await subject.ripeStray() };
  }

  it('are waited for while one does not answer', async (context) => {
    const { subject, ripe } = await atTwo(context);
    const answer = subject.answer;
    subject.answer = undefined;
    assert.deepEqual(await subject.collect(), []);
    assert.deepEqual(
      subject.strays.watches().map(({ awaited }) => awaited),
      [[OTHER]],
    );
    subject.answer = answer;
    await collectGarbage(subject.engine, subject.session, signal);
    assert.deepEqual(subject.waiting(), [], 'not asked again at once');
    subject.nowMs += HOMES_RETRY_MS;
    await collectGarbage(subject.engine, subject.session, signal);
    assert.deepEqual(subject.waiting(), [ripe]);
  });

  it('that have no record yet are waited for, too: so is whoever does not answer', async (context) => {
    const subject = await Subject.open(context);
    const ripe = await subject.ripeStray();
    const answer = subject.answer;
    subject.answer = undefined;
    assert.deepEqual(await subject.collect(), []);
    assert.deepEqual(
      subject.strays.watches().map(({ awaited }) => awaited),
      [[OTHER]],
    );
    subject.answer = answer;
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('that were asked are asked again at once when the clock was put back', async (context) => {
    const { subject, ripe } = await atTwo(context);
    await subject.strays.watch(subject.session.user, [SELF, OTHER], subject.homes);
    await subject.strays.wait(subject.session.user, [], subject.nowMs + HOMES_RETRY_MS + 1);
    await subject.list();
    await collectGarbage(subject.engine, subject.session, signal);
    assert.deepEqual(subject.waiting(), [ripe]);
  });

  it('keep what they hold back, and what they wrote has to have come', async (context) => {
    const { subject, ripe } = await atTwo(context);
    subject.answer = { held: new Set([subject.strayStripe()]), counter: 7, callerCounter: 0 };
    subject.heads = [{ peer: OTHER, written: 7, come: 7 }];
    assert.deepEqual(await subject.collect(), []);
    subject.answer = { held: new Set(), counter: 8, callerCounter: 0 };
    assert.deepEqual(await subject.collect(), []);
    subject.heads = [{ peer: OTHER, written: 8, come: 8 }];
    // This peer was put back to an old disk: others have seen more of what it wrote than it has itself.
    subject.answer = { held: new Set(), counter: 8, callerCounter: 5 };
    assert.deepEqual(await subject.collect(), []);
    subject.heads = [...subject.heads, { peer: SELF, written: 5, come: 5 }];
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('that are no homes any more leave time to recover what only they knew', async (context) => {
    const { subject, ripe } = await atTwo(context);
    subject.homes = [SELF];
    assert.deepEqual(await subject.collect(), []);
    await subject.passGrace();
    assert.deepEqual(await subject.collect(), [ripe]);
  });

  it('that are none by their records are believed when they hold something back', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    subject.answer = { held: new Set([subject.strayStripe()]), counter: 0, callerCounter: 0 };
    assert.deepEqual(await subject.collect(), []);
  });

  it('say what they hold back, and how far they have written', async (context) => {
    const subject = await Subject.open(context);
    const [pinned, intended, free] = [stripeOf(subject.keys), stripeOf(subject.keys), stripeOf(subject.keys)];
    const owner = subject.session.user;
    subject.pinned.add(pinned.id);
    await subject.outbox.intend({ stripe: intended.id, owner, chunks: [], targets: [] });
    subject.heads = [
      { peer: SELF, written: 5, come: 0 },
      { peer: OTHER, written: 9, come: 0 },
    ];
    const word = await homeLookup(subject.engine)({
      ...{ owner, caller: OTHER },
      stripes: [pinned.id, intended.id, free.id],
    });
    assert.deepEqual(word, { held: new Set([pinned.id, intended.id]), counter: 5, callerCounter: 9 });
  });

  it('say nothing while they do not know how far they have written', async (context) => {
    const subject = await Subject.open(context);
    const asked = { owner: subject.session.user, caller: OTHER, stripes: [] };
    await assert.rejects(
      homeLookup(subject.engine)(asked),
      (error) => StorageError.is(error, 'UNAVAILABLE') && error.message === 'Unlock the user here first.',
    );
    subject.homes = [OTHER];
    assert.equal((await homeLookup(subject.engine)(asked)).counter, 0, 'who is no home has written nothing');
  });
});

describe('listing what peers hold', () => {
  it('is done for each once a day, and sooner again where it failed', async (context) => {
    const subject = await Subject.open(context);
    const step = (): Promise<void> => collectGarbage(subject.engine, subject.session, signal);
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked.splice(0).sort(), ['other', 'self']);
    subject.nowMs += INVENTORY_INTERVAL_MS;
    subject.isWhole = false;
    subject.lay(SELF, stripeOf(subject.keys), 0);
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked.splice(0).sort(), ['other', 'self']);
    const [failed] = subject.strays.inventories(subject.session.user).filter(({ peer }) => peer === SELF);
    assert.equal(failed?.failure, 'A part is missing.');
    subject.nowMs += INVENTORY_RETRY_MS;
    subject.isWhole = true;
    for (let i = 0; i < 4; i++) await step();
    assert.deepEqual(subject.asked, ['self']);
  });

  it('goes on where it was, and forgets what is there no more', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stripes = Array.from({ length: 1_100 }, () => stripeOf(subject.keys));
    for (const stripe of stripes) subject.lay(OTHER, stripe, 0);
    subject.nowMs += INVENTORY_INTERVAL_MS;
    for (let i = 0; i < 3; i++) await collectGarbage(subject.engine, subject.session, signal);
    assert.equal(subject.asked.filter((name) => name === 'other').length, 3, 'once before, and two pages');
    assert.equal(subject.strays.totals()[0]?.chunks, 1_100);
    subject.held.set(OTHER, (subject.held.get(OTHER) ?? []).slice(0, 10));
    await subject.collect();
    assert.equal(subject.strays.totals()[0]?.chunks, 10);
  });

  it('is given up for an hour when the labels do not hold', async (context) => {
    const subject = await Subject.open(context);
    for (let n = 0; n < 300; n++) subject.lay(OTHER, stripeOf(deriveUserKeys(newRootKey())), 0);
    await subject.collect();
    const [told] = subject.strays.inventories(subject.session.user).filter(({ peer }) => peer === OTHER);
    assert.match(told?.failure ?? '', /300 labels/);
    assert.equal(told?.listedMs, 0);
  });

  it('begins anew after a recovery: of what lies there nobody knows why it does', async (context) => {
    const subject = await Subject.open(context);
    await subject.ripeStray();
    await subject.strays.forget(subject.session.user);
    assert.deepEqual(await subject.collect(), []);
    await subject.passGrace();
    assert.deepEqual(await subject.collect(), []);
    assert.equal((await subject.collect(true)).length, 1);
  });
});

describe('strays behind so many that are held back', () => {
  it('are deleted all the same', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stripes = Array.from({ length: STRAYS_PER_SWEEP + 1 }, () => stripeOf(subject.keys));
    for (const stripe of stripes) subject.lay(OTHER, stripe, 0);
    // More than a few are never too many where so much more is in use.
    const used = Array.from({ length: 4 * stripes.length }, () => stripeOf(subject.keys));
    for (const stripe of used) {
      subject.lay(SELF, stripe, 0);
      subject.referred.add(stripe.id);
    }
    await subject.collect();
    const [last, ...first] = stripes.sort((a, b) => (a.id > b.id ? -1 : 1));
    await subject.passGrace();
    subject.answer = { held: new Set(first.map(({ id }) => id)), counter: 0, callerCounter: 0 };
    assert.deepEqual(await subject.collect(), [`other ${last?.chunks[0] ?? ''}`]);
  });
});

describe('what was told by a peer that is removed', () => {
  it('is forgotten, but not that a stripe is from before the watch', async (context) => {
    const subject = await Subject.open(context);
    const old = stripeOf(subject.keys);
    subject.lay(OTHER, old, 0);
    await subject.watch();
    for (const at of [OTHER, SELF]) subject.lay(at, at === SELF ? old : stripeOf(subject.keys), 1);
    await subject.collect();
    await subject.strays.watch(subject.session.user, [SELF], [SELF]);
    assert.deepEqual(
      subject.strays.inventories().map(({ peer }) => peer),
      [SELF],
    );
    const [told, ...others] = subject.strays.totals();
    assert.deepEqual([told?.peer, told?.chunks, told?.oldChunks, others], [SELF, 1, 1, []]);
  });
});

describe('so much garbage that the catalog may be an old one', () => {
  it('is deleted by an order alone', async (context) => {
    const subject = await Subject.open(context);
    await subject.watch();
    const stray = Array.from({ length: MANY_STRAYS + 1 }, () => stripeOf(subject.keys));
    for (const stripe of stray) subject.lay(OTHER, stripe, 0);
    await subject.collect();
    await subject.passGrace();
    assert.deepEqual(await subject.collect(), []);
    subject.referred.add(stray[0]?.id ?? assert.fail());
    assert.equal((await subject.collect()).length, MANY_STRAYS, 'one less is not too many');
  });
});
