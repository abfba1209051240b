import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError, type ErrorCode } from '../errors.js';
import type { EntryReply } from '../gateways/http/api.js';
import { planGet, type RemoteTree } from './get-plan.js';

function entry(path: string, type: 'file' | 'folder' = 'file'): EntryReply {
  return { path, type, bytes: 1, modified: '2026-01-01T00:00:00Z', version: type === 'file' ? 'v' : null };
}

function file(path: string): RemoteTree {
  return { root: entry(path), entries: [entry(path)] };
}

const photos: RemoteTree = {
  root: entry('/x/photos', 'folder'),
  entries: [entry('/x/photos/2026', 'folder'), entry('/x/photos/2026/cat.jpg'), entry('/x/photos/top.jpg')],
};

describe('planGet', () => {
  let folder: string;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-plan-')));
    mkdirSync(join(folder, 'there'));
    writeFileSync(join(folder, 'file'), '');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Place → type, and below it the names of its files. */
  function plan(trees: readonly RemoteTree[], local: string): Record<string, string> {
    const { targets } = planGet(trees, join(folder, local) + (local.endsWith('/') ? '/' : ''));
    const shown = targets.map(({ place, type, files }) => [
      place.slice(folder.length + 1),
      [type, ...files.map((one) => one.names.join('/'))].join(' '),
    ]);
    return Object.fromEntries(shown) as Record<string, string>;
  }

  it('a file becomes a new name, or goes into a folder', () => {
    assert.deepEqual(plan([file('/x/a')], 'new'), { new: 'file ' });
    assert.deepEqual(plan([file('/x/a')], 'there'), { 'there/a': 'file ' });
    assert.deepEqual(plan([file('/x/a')], 'new/'), { new: 'folder a' });
  });

  it('a folder becomes a new name, or goes into a folder', () => {
    assert.deepEqual(plan([photos], 'new'), { new: 'folder 2026/cat.jpg top.jpg' });
    assert.deepEqual(plan([photos], 'new/'), { new: 'folder 2026/cat.jpg top.jpg' });
    assert.deepEqual(plan([photos], 'there'), { 'there/photos': 'folder 2026/cat.jpg top.jpg' });
  });

  it('several go into a folder, also a new one', () => {
    assert.deepEqual(plan([photos, file('/x/a')], 'there'), {
      'there/photos': 'folder 2026/cat.jpg top.jpg',
      'there/a': 'file ',
    });
    assert.deepEqual(plan([photos, file('/x/a')], 'new/'), { new: 'folder photos/2026/cat.jpg photos/top.jpg a' });
  });

  it('the root means its contents', () => {
    const root: RemoteTree = { root: { path: '/', type: 'folder' }, entries: [entry('/a')] };
    assert.deepEqual(plan([root], 'there'), { there: 'folder a' });
  });

  const refusals: [string, RemoteTree[], string, ErrorCode][] = [
    ['several to a name', [file('/x/a'), file('/x/b')], 'new', 'INVALID_ARGUMENT'],
    ['two of one name', [file('/x/a'), file('/y/a')], 'there', 'INVALID_ARGUMENT'],
    ['two of one name in a new folder', [file('/x/a'), file('/y/a')], 'new/', 'INVALID_ARGUMENT'],
    ['a folder over a file', [photos], 'file', 'ALREADY_EXISTS'],
    ['a place in no folder', [file('/x/a')], 'missing/new', 'NOT_FOUND'],
    ['a place below a file', [file('/x/a')], 'file/new', 'NOT_FOUND'],
  ];
  for (const [what, trees, local, code] of refusals) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => plan(trees, local),
        (error) => StorageError.is(error, code),
      );
    });
  }

  for (const path of [
    '/x/photos/../../evil',
    '/x/photos/..',
    '/x/photos//evil',
    '/etc/passwd',
    '/x/photos/a\u0000b',
    'x',
  ]) {
    it(`refuses the remote name ${JSON.stringify(path)}`, () => {
      const tree = { root: photos.root, entries: [entry(path)] };
      assert.throws(
        () => plan([tree], 'there'),
        (error) => StorageError.is(error, 'PERMISSION_DENIED'),
      );
    });
  }

  it('refuses a dangerous name of what was asked for', () => {
    assert.throws(
      () => plan([file('/x/..')], 'there'),
      (error) => StorageError.is(error, 'PERMISSION_DENIED'),
    );
  });
});
