import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EntryReply } from '../../api/types.js';
import { inOrder, nextOrder, type Order } from './order.js';

function file(path: string, bytes = 0, modified = ''): EntryReply {
  return { path, type: 'file', bytes, modified, version: 'v' };
}

const ENTRIES: readonly EntryReply[] = [
  file('/IMG 10.jpg', 5, '2026-01-03'),
  file('/img 2.jpg', 50, '2026-01-01'),
  file('/éclair', 5, '2026-01-02'),
  file('/eclair', 7, '2026-01-02'),
  { path: '/zoo', type: 'folder', bytes: 0, modified: '2025-01-01', version: null },
];

function names(order: Order): string[] {
  return inOrder(ENTRIES, order).map(({ path }) => path);
}

describe('the order of a list', () => {
  test('is that of people, folders first', () => {
    const byName = ['/zoo', '/eclair', '/éclair', '/img 2.jpg', '/IMG 10.jpg'];
    assert.deepEqual(names({ key: 'name', descending: false }), byName);
    const [first, ...rest] = byName;
    assert.deepEqual(names({ key: 'name', descending: true }), [first, ...rest.reverse()]);
  });

  test('may be that of sizes and times, equal ones by name', () => {
    assert.deepEqual(names({ key: 'bytes', descending: false }), [
      '/zoo',
      '/éclair',
      '/IMG 10.jpg',
      '/eclair',
      '/img 2.jpg',
    ]);
    assert.equal(names({ key: 'modified', descending: true })[1], '/IMG 10.jpg');
  });

  test('turns round at the second click; big and new ones come first at the first', () => {
    const byName = { key: 'name', descending: false } as const;
    assert.deepEqual(nextOrder(byName, 'name'), { key: 'name', descending: true });
    assert.deepEqual(nextOrder(byName, 'bytes'), { key: 'bytes', descending: true });
    assert.deepEqual(nextOrder({ key: 'bytes', descending: true }, 'name'), byName);
  });
});
