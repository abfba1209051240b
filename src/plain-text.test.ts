import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPlainText } from './plain-text.js';

describe('isPlainText', () => {
  it('takes names of all scripts', () => {
    for (const name of ['Büro 2', 'اسم', '研究室', 'kávé/☕', '😀', '']) assert.ok(isPlainText(name), name);
  });

  it('takes nothing that is not seen, or that turns the text around', () => {
    const hidden = [
      0x00, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x200b, 0x200d, 0x200e, 0x202e, 0x2028, 0x2029, 0x2066, 0xfeff, 0xe0041,
    ];
    for (const code of hidden) assert.ok(!isPlainText(`peer${String.fromCodePoint(code)}1`), code.toString(16));
    assert.ok(!isPlainText('half \ud800'));
  });
});
