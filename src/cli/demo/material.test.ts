import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../../errors.js';
import { copyProject, filesBelow, generateFile, hashFile, hashFolder } from './material.js';
import { parseDemoOptions } from './options.js';

const { signal } = new AbortController();

describe('the material of the demonstration', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-material-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a file of the size asked for that cannot be made smaller', async () => {
    const path = join(folder, 'film');
    await generateFile(path, 5_000_001, signal);
    const bytes = readFileSync(path);
    assert.equal(bytes.length, 5_000_001);
    assert.ok(gzipSync(bytes).length > bytes.length);
  });

  it('stops when told to', async () => {
    await assert.rejects(generateFile(join(folder, 'film'), 1e12, AbortSignal.abort(new Error('enough'))), /enough/);
  });

  it('is the source of this project, and nothing built', async () => {
    const project = join(folder, 'project');
    await copyProject(project);
    const names = await filesBelow(project);
    assert.ok(names.includes('src/cli/main.ts'));
    assert.ok(!names.some((name) => /node_modules|^dist|^\.git\//.test(name)));
  });

  it('shows a difference of name or bytes', async () => {
    writeFileSync(join(folder, 'a'), '1');
    const before = await hashFolder(folder, signal);
    assert.equal(await hashFolder(folder, signal), before);
    assert.equal(
      await hashFile(join(folder, 'a'), signal),
      '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
    );
    writeFileSync(join(folder, 'a'), '2');
    assert.notEqual(await hashFolder(folder, signal), before);
    rmSync(join(folder, 'a'));
    writeFileSync(join(folder, 'b'), '1');
    assert.notEqual(await hashFolder(folder, signal), before);
  });
});

describe('the options of the demonstration', () => {
  it('are read', () => {
    assert.deepEqual(parseDemoOptions([]), { once: false });
    assert.deepEqual(parseDemoOptions(['--once', '--dir', '/x']), { once: true, directory: '/x' });
    assert.equal(parseDemoOptions(['--help']), undefined);
  });

  it('are refused when they are wrong', () => {
    assert.throws(
      () => parseDemoOptions(['--twice']),
      (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
    );
    assert.throws(
      () => parseDemoOptions(['--file', '/does/not/exist']),
      (error) => StorageError.is(error, 'NOT_FOUND'),
    );
  });
});
