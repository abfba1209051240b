import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DurableFlush } from './durable.js';

interface Sync {
  finish(): void;
  fail(): void;
}

function manual(): { syncs: Sync[]; flush: DurableFlush } {
  const syncs: Sync[] = [];
  const flush = new DurableFlush(
    () =>
      new Promise((resolve, reject) => {
        syncs.push({ finish: resolve, fail: () => reject(new Error('disk')) });
      }),
  );
  return { syncs, flush };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('a write that comes while a sync runs waits for the next one, and shares it', async () => {
  const { syncs, flush } = manual();
  const done: string[] = [];
  const note = (name: string) => () => done.push(name);
  const first = flush.flush().then(note('first'));
  await turn();
  const others = [flush.flush().then(note('second')), flush.flush().then(note('third'))];
  await turn();
  assert.equal(syncs.length, 1);
  syncs[0]?.finish();
  await first;
  await turn();
  assert.deepEqual(done, ['first']);
  assert.equal(syncs.length, 2);
  syncs[1]?.finish();
  await Promise.all(others);
  assert.equal(syncs.length, 2);
});

test('a failed sync fails its own writers alone', async () => {
  const { syncs, flush } = manual();
  const first = flush.flush();
  await turn();
  const second = flush.flush();
  syncs[0]?.fail();
  await assert.rejects(first, /disk/);
  await turn();
  syncs[1]?.finish();
  await second;
});
