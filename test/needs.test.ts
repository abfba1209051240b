import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { findProgram, needs } from './needs.js';

describe('needs', () => {
  const ci = process.env['CI'];
  beforeEach(() => delete process.env['CI']);
  afterEach(() => {
    if (ci === undefined) delete process.env['CI'];
    else process.env['CI'] = ci;
  });

  test('does not skip when every program is there', () => {
    assert.deepEqual(needs('sh', 'ls'), {});
    assert.match(findProgram('sh') ?? '', /^\/.*\/sh$/);
  });

  test('skips by name what is missing', () => {
    assert.deepEqual(needs('sh', 'no-such-program'), { skip: 'no-such-program is not installed' });
    assert.deepEqual(needs('no-such-a', 'no-such-b'), { skip: 'no-such-a and no-such-b are not installed' });
  });

  test('fails instead of skipping with CI=true', () => {
    process.env['CI'] = 'true';
    assert.throws(() => needs('no-such-program'), /no-such-program is not installed/);
    assert.deepEqual(needs('sh'), {});
  });
});
