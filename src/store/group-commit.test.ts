import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupCommit, type Journal } from './group-commit.js';

/** Notes what happens to a journal; `sync` is the test's. */
function watch(sync: (count: number) => Promise<void>): { journal: Journal; events: string[] } {
  const events: string[] = [];
  let syncs = 0;
  const journal: Journal = {
    begin: () => void events.push('begin'),
    commit: () => void events.push('commit'),
    rollback: () => void events.push('rollback'),
    sync: async () => {
      events.push('sync');
      await sync(++syncs);
    },
  };
  return { journal, events };
}

describe('GroupCommit', () => {
  it('writes of one turn share a transaction and a sync, in order', async () => {
    const { journal, events } = watch(async () => undefined);
    const commits = new GroupCommit(journal);
    const results = await Promise.all(
      [1, 2, 3].map((number) =>
        commits.run(() => {
          events.push(String(number));
          return number * 10;
        }),
      ),
    );
    assert.deepEqual(results, [10, 20, 30]);
    assert.deepEqual(events, ['begin', '1', '2', '3', 'commit', 'sync']);
  });

  it('nothing is acknowledged before its sync ended; what arrives meanwhile forms the next group', async () => {
    let endFirst = (): void => undefined;
    let begun = (): void => undefined;
    const firstSync = new Promise<void>((resolve) => (begun = resolve));
    const { journal, events } = watch(async (count) => {
      if (count > 1) return;
      begun();
      await new Promise<void>((resolve) => (endFirst = resolve));
    });
    const commits = new GroupCommit(journal);
    const write = (name: string): Promise<void> =>
      commits
        .run(() => void events.push(name))
        .then(() => {
          events.push(`${name} done`);
        });
    const first = write('a');
    await firstSync;
    const others = [write('b'), write('c')];
    const settled = commits.settled();
    await new Promise(setImmediate);
    assert.deepEqual(events, ['begin', 'a', 'commit', 'sync']);
    endFirst();
    await Promise.all([first, ...others, settled]);
    assert.deepEqual(events.slice(4), ['begin', 'b', 'c', 'commit', 'sync', 'a done', 'b done', 'c done']);
  });

  it('a write that fails does not harm the others of its group', async () => {
    const { journal, events } = watch(async () => undefined);
    const commits = new GroupCommit(journal);
    const good = commits.run(() => 'good');
    const bad = commits.run(() => {
      throw new Error('no such row');
    });
    const late = commits.run(() => 'late');
    await assert.rejects(bad, /no such row/);
    assert.deepEqual(await Promise.all([good, late]), ['good', 'late']);
    assert.equal(events.filter((event) => event === 'rollback').length, 2, 'of the group, and of the bad one alone');
  });

  it('after a sync that failed nothing is acknowledged any more', async () => {
    const { journal } = watch(async () => Promise.reject(new Error('EIO: i/o error')));
    const commits = new GroupCommit(journal);
    await assert.rejects(
      commits.run(() => 1),
      { code: 'UNAVAILABLE', message: /i\/o error.*restart/ },
    );
    await assert.rejects(
      commits.run(() => 2),
      { code: 'UNAVAILABLE' },
    );
    await commits.idle();
  });
});
