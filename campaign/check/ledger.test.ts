import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { judge, Ledger, type Observation, type ViolationKind } from './ledger.js';

const ABSENT: Observation = { kind: 'absent' };
const FAILED = { kind: 'failed', code: 'UNAVAILABLE', message: 'nobody is there' } as const;

function content(digest: string): Observation {
  return { kind: 'content', digest };
}

describe('the ledger', () => {
  let ledger: Ledger;

  beforeEach(() => {
    ledger = new Ledger();
  });

  /** What the checker says when these are seen at these paths, which are of one claim. */
  function verdict(seen: Readonly<Record<string, Observation>>): ViolationKind | undefined {
    const [path = ''] = Object.keys(seen);
    const claim = ledger.at(path);
    assert.ok(claim !== undefined);
    return judge(claim, new Map(Object.entries(seen)))?.kind;
  }

  test('holds what was acknowledged against what is read', () => {
    ledger.put('/a', 'one', true);
    assert.equal(verdict({ '/a': content('one') }), undefined);
    assert.equal(verdict({ '/a': content('two') }), 'wrong-content');
    assert.equal(verdict({ '/a': ABSENT }), 'lost');
    assert.equal(verdict({ '/a': FAILED }), 'unreadable');
    for (const code of ['INTERNAL', 'CORRUPT', 'UNKNOWN'] as const) {
      assert.equal(verdict({ '/a': { ...FAILED, code } }), 'broken');
    }
    ledger.put('/a', 'two', true);
    assert.equal(verdict({ '/a': content('one') }), 'wrong-content');
  });

  test('takes both for possible after a put without an answer', () => {
    ledger.put('/new', 'one', false);
    for (const seen of [content('one'), ABSENT]) assert.equal(verdict({ '/new': seen }), undefined);
    assert.equal(verdict({ '/new': FAILED }), 'unreadable', 'whole, or not there');
    assert.equal(verdict({ '/new': content('two') }), 'wrong-content');
    ledger.put('/old', 'one', true);
    ledger.put('/old', 'two', false);
    for (const seen of [content('one'), content('two')]) assert.equal(verdict({ '/old': seen }), undefined);
    assert.equal(verdict({ '/old': ABSENT }), 'lost');
    assert.deepEqual(ledger.certain, []);
  });

  test('wants nothing where something was removed', () => {
    ledger.put('/a', 'one', true);
    ledger.remove('/a', false);
    for (const seen of [content('one'), ABSENT]) assert.equal(verdict({ '/a': seen }), undefined);
    assert.deepEqual(ledger.gone, []);
    ledger.remove('/a', true);
    assert.equal(verdict({ '/a': content('one') }), 'returned');
    assert.equal(verdict({ '/a': FAILED }), 'unreadable');
    assert.equal(verdict({ '/a': ABSENT }), undefined);
    assert.deepEqual(ledger.gone, ['/a']);
  });

  test('follows a file that was moved', () => {
    ledger.put('/a', 'one', true);
    ledger.move('/a', '/b', true);
    assert.deepEqual(ledger.certain, ['/b']);
    assert.equal(verdict({ '/b': content('one') }), undefined);
    assert.equal(verdict({ '/a': content('one') }), 'returned');
    assert.deepEqual(ledger.gone, ['/a']);
  });

  test('looks at both places after a rename without an answer', () => {
    ledger.put('/a', 'one', true);
    ledger.move('/a', '/b', false);
    assert.equal(ledger.claims.length, 1);
    assert.equal(verdict({ '/a': content('one'), '/b': ABSENT }), undefined);
    assert.equal(verdict({ '/a': ABSENT, '/b': content('one') }), undefined);
    assert.equal(verdict({ '/a': ABSENT, '/b': ABSENT }), 'lost');
    assert.equal(verdict({ '/a': ABSENT, '/b': FAILED }), 'unreadable');
    assert.equal(verdict({ '/a': content('one'), '/b': content('one') }), 'returned', 'at one of them');
  });
});
