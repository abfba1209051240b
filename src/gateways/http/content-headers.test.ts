import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judge, rangeCounts, tagOf } from './conditions.js';
import { contentDisposition, contentHeaders } from './content-headers.js';
import { inlineType } from './media-types.js';

describe('content-disposition', () => {
  it('gives any name back, and is never more than one header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const header = contentDisposition('attachment', name);
        const match = /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([\w.~%-]*)$/.exec(header);
        assert.ok(match !== null && !/["\\%]/.test(match[1] ?? ''), header);
        assert.equal(decodeURIComponent(match[2] ?? ''), Buffer.from(name).toString());
      }),
    );
  });
});

describe('what a browser may show', () => {
  it('is nothing that runs', () => {
    for (const name of [
      'a.html',
      'a.HTM',
      'a.svg',
      'a.svgz',
      'a.xml',
      'a.xhtml',
      'a.mht',
      'a.swf',
      'a',
      '.png',
      'a.',
    ]) {
      assert.equal(inlineType(`/${name}`), name === '.png' ? 'image/png' : undefined, name);
    }
    assert.equal(inlineType('/a.constructor'), undefined);
    assert.equal(inlineType('/dir.png/a'), undefined);
  });

  it('is in a sandbox, and saved unless it is asked for', () => {
    const saved = contentHeaders('/a.png', 'attachment');
    assert.equal(saved['content-type'], 'application/octet-stream');
    const shown = contentHeaders('/a.PNG', 'inline');
    assert.deepEqual([shown['content-type'], shown['content-disposition']?.split(';')[0]], ['image/png', 'inline']);
    for (const headers of [saved, shown]) {
      assert.match(headers['content-security-policy'] ?? '', /^sandbox; default-src 'none'/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  });
});

describe('conditions', () => {
  const there = { tag: tagOf('abc'), modifiedMs: 1_700_000_000_500 };
  const nothing = { tag: undefined, modifiedMs: 0 };

  it('are judged as RFC 9110 says', () => {
    for (const [method, headers, validators, outcome] of [
      ['GET', {}, there, 'go'],
      ['GET', { 'if-none-match': '"abc"' }, there, 'unchanged'],
      ['GET', { 'if-none-match': 'W/"abc", "x"' }, there, 'unchanged'],
      ['GET', { 'if-none-match': '"x"' }, there, 'go'],
      ['GET', { 'if-match': '"x"' }, there, 'unmet'],
      ['GET', { 'if-match': 'W/"abc"' }, there, 'unmet'],
      ['PUT', { 'if-match': '"x", "abc"' }, there, 'go'],
      ['PUT', { 'if-match': '*' }, nothing, 'unmet'],
      ['PUT', { 'if-none-match': '*' }, there, 'unmet'],
      ['PUT', { 'if-none-match': '*' }, nothing, 'go'],
      ['PUT', { 'if-match': '"abc"', 'if-none-match': '"abc"' }, there, 'unmet'],
    ] as const) {
      assert.equal(judge(method, headers, validators), outcome, JSON.stringify([method, headers]));
    }
  });

  it('let a range count for one version alone', () => {
    const modified = new Date(there.modifiedMs).toUTCString();
    for (const [condition, counts] of [
      [undefined, true],
      ['"abc"', true],
      ['W/"abc"', false],
      ['"x"', false],
      [modified, true],
      [new Date(0).toUTCString(), false],
      ['nonsense', false],
    ] as const) {
      assert.equal(rangeCounts({ 'if-range': condition }, there), counts, condition);
    }
  });
});
