import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSION_TEXT_PAGE_BYTES } from '../../limits.js';
import { VersionTexts } from './version-texts.js';

test('texts of any length are copied behind each other, and overwritten in the end', () => {
  const texts = new VersionTexts();
  const lengths = [0, 1, 170, VERSION_TEXT_PAGE_BYTES - 171, 1, VERSION_TEXT_PAGE_BYTES + 1, 30];
  const kept = lengths.map((length, at) => {
    const text = new Uint8Array(length).fill(at + 1);
    const place = texts.keep(text);
    text.fill(0xff);
    return place;
  });
  for (const [at, { page, start, end }] of kept.entries()) {
    assert.deepEqual(page.subarray(start, end), new Uint8Array(lengths[at] ?? 0).fill(at + 1));
  }
  assert.equal(new Set(kept.map(({ page }) => page)).size, 4);
  texts.wipe();
  for (const { page } of kept) assert.ok(page.every((byte) => byte === 0));
});
