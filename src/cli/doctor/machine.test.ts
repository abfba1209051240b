import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkMemory, checkOpenFiles, memoryNeed, readMemory, readOpenFiles } from './machine.js';
import { checkNode } from './node-version.js';

const GIB = 1024 ** 3;

describe('the machine', () => {
  it('needs a Node.js that is new enough', () => {
    for (const version of ['v20.19.0', 'v20.20.1', 'v22.1.0', 'v24.0.0']) assert.equal(checkNode(version).level, 'ok');
    for (const version of ['v18.20.4', 'v20.18.9', 'v4.0.0']) {
      const { level, remedy } = checkNode(version);
      assert.equal(level, 'problem', version);
      assert.match(String(remedy), /20\.19/);
    }
  });

  it('needs memory for what its workers hold', () => {
    const need = memoryNeed(4, 1);
    assert.ok(need > memoryNeed(1, 1) && need < GIB);
    assert.equal(checkMemory({ totalBytes: 4 * GIB, freeBytes: 2 * GIB }, need, false).level, 'ok');
    assert.equal(checkMemory({ totalBytes: 4 * GIB, freeBytes: GIB / 8 }, need, false).level, 'warning');
    // A peer that runs has its share already.
    assert.equal(checkMemory({ totalBytes: 4 * GIB, freeBytes: GIB / 8 }, need, true).level, 'ok');
    assert.equal(checkMemory({ totalBytes: GIB / 4, freeBytes: GIB / 8 }, need, true).level, 'problem');
    const { totalBytes, freeBytes } = readMemory();
    assert.ok(totalBytes > 0 && totalBytes < 2 ** 53 && freeBytes > 0);
  });

  it('needs enough open files', () => {
    assert.deepEqual(
      [20_000, 2000, 256, 'unlimited', undefined].map((limit) => checkOpenFiles(limit).level),
      ['ok', 'warning', 'problem', 'ok', 'unknown'],
    );
    assert.notEqual(checkOpenFiles(readOpenFiles()).level, 'unknown');
  });
});
