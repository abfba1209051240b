import assert from 'node:assert/strict';
import { it } from 'node:test';
import { kitSecret, newKitWords } from '../crypto/kit.js';
import { fingerprint, kitPage } from './kit-page.js';

const user = { id: '0123456789abcdef'.repeat(4), name: 'x'.repeat(64), unlocked: true, generation: 1, kit: true };

it('the page of a recovery kit has the words in their order, and fits a printer', () => {
  const words = newKitWords();
  const page = kitPage({ user, words, pendingHosts: [], network: 'home', created: '2026-11-22T10:00:00.000Z' });
  for (const line of page.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(page, /^[\x20-\x7e\n]*$/, 'every printer has these characters');
  const numbered = [...page.matchAll(/(\d+)\. ([a-z]+)/g)]
    .map(([, number, word]) => [Number(number), word] as const)
    .sort(([a], [b]) => a - b);
  assert.deepEqual(
    numbered,
    words.map((word, index) => [index + 1, word]),
  );
  assert.deepEqual(kitSecret(page), kitSecret(words.join(' ')), 'the page itself is read as its words');
  for (const part of ['home', '2026-11-2', fingerprint(user.id), 'shoal user recover'])
    assert.ok(page.includes(part), part);
});

it('no name breaks the page', () => {
  const words = newKitWords();
  const page = kitPage({ user, words, pendingHosts: [], network: 'a\u001b[2Jb\nc', created: 'never' });
  assert.ok(!page.includes('\u001b') && page.includes('a\\u{1b}[2Jb\\u{a}c'));
});

it('a fingerprint is the first half of the id, in groups', () => {
  assert.equal(fingerprint(user.id), '0123 4567 89ab cdef 0123 4567 89ab cdef');
});
