import assert from 'node:assert/strict';
import { test } from 'node:test';
import { previewKind } from './kinds.js';

test('what would run as a page of its own is shown as text', () => {
  for (const path of ['/a.html', '/a.HTM', '/a.svg', '/a.xml', '/a.js']) assert.equal(previewKind(path), 'text', path);
});

test('pictures, films, sounds and papers are shown as such, the rest not at all', () => {
  assert.deepEqual(['/a.JPG', '/a.webm', '/a.flac', '/a.pdf', '/a.exe', '/a', '/.html'].map(previewKind), [
    'image',
    'video',
    'audio',
    'pdf',
    'none',
    'none',
    'none',
  ]);
});
