import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Problem } from '../../api/problem.js';
import type { GivenFile, KeptItem } from './item.js';
import { MAX_QUEUED, UploadQueue, type Sending } from './upload-queue.js';

interface Running {
  readonly sending: Sending;
  done(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A peer and a browser that do what the test says. */
class Stage {
  readonly running: Running[] = [];
  readonly kept = new Map<string, KeptItem>();
  readonly discarded: string[] = [];
  refusals = 0;
  readonly timers: { readonly ms: number; readonly work: () => void }[] = [];
  #lastId = 0;

  open(): UploadQueue {
    return new UploadQueue({
      send: (sending) => this.#send(sending),
      discard: async (url) => void this.discarded.push(url),
      journal: {
        keep: (items) => {
          for (const item of items) this.kept.set(item.id, item);
        },
        drop: (ids) => {
          for (const id of ids) this.kept.delete(id);
        },
      },
      later: (ms, work) => void this.timers.push({ ms, work }),
      onRefused: () => void (this.refusals += 1),
      newId: () => `item-${String((this.#lastId += 1))}`,
    });
  }

  #send(sending: Sending): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = async (finish: () => void) => {
        this.running.splice(this.running.indexOf(entry), 1);
        finish();
        await settled();
      };
      const entry: Running = {
        sending,
        done: () => settle(resolve),
        fail: (error) => settle(() => reject(error)),
      };
      sending.signal.addEventListener('abort', () => void entry.fail(sending.signal.reason as Error));
      this.running.push(entry);
    });
  }

  get sent(): string[] {
    return this.running.map(({ sending }) => sending.path);
  }

  /** The one that runs and is sent to this path. */
  at(path: string): Running {
    const found = this.running.find(({ sending }) => sending.path === path);
    assert.ok(found !== undefined, `${path} is not being sent`);
    return found;
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

function given(relativePath: string, content = 'x', lastModified = 1000): GivenFile {
  const name = relativePath.split('/').at(-1) ?? '';
  return { file: new File([content], name, { lastModified }), relativePath, handle: null };
}

function states(queue: UploadQueue): Record<string, string> {
  return Object.fromEntries(queue.items.value.map(({ path, state }) => [path, state]));
}

describe('the queue of uploads', () => {
  let stage: Stage;
  let queue: UploadQueue;
  beforeEach(() => {
    stage = new Stage();
    queue = stage.open();
  });

  test('sends a few at a time, in order, below the folder they were dropped on', async () => {
    queue.add(
      ['1', '2', 'deep/3', '4'].map((name) => given(name)),
      '/photos',
    );
    assert.deepEqual(stage.sent, ['/photos/1', '/photos/2', '/photos/deep/3']);
    await stage.at('/photos/2').done();
    assert.deepEqual(stage.sent, ['/photos/1', '/photos/deep/3', '/photos/4']);
    assert.equal(states(queue)['/photos/2'], 'done');
  });

  test('stops one that is paused, lets another go on, and takes it up again where it was', async () => {
    queue.add(
      ['1', '2', '3', '4'].map((name) => given(name)),
      '/',
    );
    stage.at('/1').sending.onUploadUrl('/api/v1/uploads/abc');
    const [first] = queue.items.value;
    assert.ok(first !== undefined);
    queue.pause(first);
    await settled();
    assert.deepEqual(stage.sent, ['/2', '/3', '/4']);
    assert.equal(first.state, 'paused');
    queue.resume(first);
    await stage.at('/2').done();
    assert.equal(stage.at('/1').sending.uploadUrl, '/api/v1/uploads/abc');
  });

  test('that is paused and resumed at once sends nothing twice', async () => {
    queue.add([given('1')], '/');
    const [first] = queue.items.value;
    assert.ok(first !== undefined);
    queue.pause(first);
    queue.resume(first);
    await settled();
    assert.deepEqual(stage.sent, ['/1']);
    assert.equal(first.state, 'running');
  });

  test('outlives the page: the files are given again, and what was stored is not sent once more', async () => {
    const drop = ['d/1', 'd/2', 'd/3', 'd/4', 'd/5'].map((name) => given(name, name));
    queue.add(drop, '/');
    await stage.at('/d/1').done();
    stage.at('/d/2').sending.onUploadUrl('/api/v1/uploads/abc');
    const next = new Stage();
    const reloaded = next.open();
    reloaded.load([...stage.kept.values()]);
    assert.deepEqual(Object.values(states(reloaded)), ['done', 'missing', 'missing', 'missing', 'missing']);
    assert.deepEqual(next.sent, []);
    reloaded.add([...drop, given('d/6')], '/');
    assert.deepEqual(next.sent, ['/d/2', '/d/3', '/d/4']);
    assert.equal(next.at('/d/2').sending.uploadUrl, '/api/v1/uploads/abc');
    assert.equal(reloaded.items.value.length, 6);
    for (const path of ['/d/2', '/d/3', '/d/4', '/d/5', '/d/6']) await next.at(path).done();
    assert.deepEqual(new Set(Object.values(states(reloaded))), new Set(['done']));
  });

  test('does not take a file that has changed for the one it misses', () => {
    const kept: KeptItem = {
      ...{ id: '1', path: '/1', bytes: 1, modified: 1000, state: 'waiting' },
      ...{ uploadUrl: '/api/v1/uploads/abc', handle: null },
    };
    queue.load([kept]);
    queue.add([given('1', 'x', 2000)], '/');
    assert.deepEqual(
      queue.items.value.map(({ state }) => state),
      ['missing', 'running'],
    );
    assert.equal(stage.at('/1').sending.uploadUrl, null);
  });

  test('tries again what may pass, later and later, and gives up in the end', async () => {
    queue.add([given('1')], '/');
    const away = new Problem({ code: 'UNAVAILABLE', message: 'The peer does not answer.' }, 0);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await stage.at('/1').fail(away);
      assert.equal(stage.sent.length, 0);
      stage.timers[attempt]?.work();
    }
    await stage.at('/1').fail(away);
    assert.equal(states(queue)['/1'], 'failed');
    assert.deepEqual(
      stage.timers.map(({ ms }) => ms),
      [1000, 2000, 5000, 10_000, 20_000],
    );
  });

  test('says why something cannot be stored, and goes on with the rest', async () => {
    queue.add(
      ['1', '2', '3', '4'].map((name) => given(name)),
      '/',
    );
    await stage.at('/1').fail(new Problem({ code: 'INVALID_ARGUMENT', message: 'This path cannot be used.' }, 400));
    const [first] = queue.items.value;
    assert.deepEqual([first?.state, first?.message.value], ['failed', 'This path cannot be used.']);
    assert.deepEqual(stage.sent, ['/2', '/3', '/4']);
  });

  test('waits where the session has ended, and goes on with the next one', async () => {
    queue.add(
      ['1', '2', '3', '4'].map((name) => given(name)),
      '/',
    );
    const [, second] = queue.items.value;
    assert.ok(second !== undefined);
    queue.pause(second);
    await stage.at('/1').fail(new Problem({ code: 'UNAUTHENTICATED', message: 'Sign in again.' }, 401));
    assert.deepEqual([stage.refusals, queue.suspended.value], [1, 1]);
    queue.suspend();
    await settled();
    assert.equal(queue.suspended.value, 3);
    queue.add([given('5')], '/');
    queue.suspend();
    queue.remove(queue.items.value.slice(-1));
    await settled();
    assert.equal(queue.suspended.value, 3, 'one that is taken out does not go on');
    const said = queue.items.value.map(({ message }) => message.value);
    assert.deepEqual(said, [said[0], '', said[0], said[0]]);
    assert.match(said[0] ?? '', /signed in again/);
    assert.deepEqual([new Set(Object.values(states(queue))), stage.sent], [new Set(['paused']), []]);
    assert.equal(stage.timers.length, 0);
    queue.wake();
    assert.deepEqual(stage.sent, ['/1', '/3', '/4']);
    assert.equal(queue.suspended.value, 0);
    assert.equal(second.state, 'paused');
  });

  test('waits where the user was locked in the middle of an upload, and goes on where it was', async () => {
    queue.add([given('1')], '/');
    stage.at('/1').sending.onUploadUrl('/api/v1/uploads/abc');
    await stage.at('/1').fail(new Problem({ code: 'LOCKED', message: 'The user was locked.' }, 423));
    const [first] = queue.items.value;
    assert.deepEqual([first?.state, stage.refusals, stage.timers.length], ['paused', 1, 0]);
    queue.wake();
    assert.equal(stage.at('/1').sending.uploadUrl, '/api/v1/uploads/abc');
    assert.equal(first?.message.value, '');
  });

  test('gives back what was sent of files that are taken out', async () => {
    queue.add(
      ['1', '2'].map((name) => given(name)),
      '/',
    );
    stage.at('/1').sending.onUploadUrl('/api/v1/uploads/abc');
    await stage.at('/2').done();
    queue.remove(queue.items.value);
    await settled();
    assert.deepEqual([queue.items.value.length, stage.kept.size, stage.running.length], [0, 0, 0]);
    assert.deepEqual(stage.discarded, ['/api/v1/uploads/abc']);
  });

  test('has an end', () => {
    queue.load([]);
    const many = Array.from({ length: MAX_QUEUED + 7 }, (_, n) => given(String(n)));
    assert.equal(queue.add(many, '/'), 7);
    assert.equal(queue.items.value.length, MAX_QUEUED);
  });
});
