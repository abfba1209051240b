import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../../src/errors.js';
import { BEGIN, checkMarkdown, drawMarkdown, END, replaceSection, writeSection } from './markdown.js';

describe('a Markdown table', () => {
  it('is aligned as it says', () => {
    const sheet = { title: 'T', heading: ['work', 'n'], align: ['left', 'right'], rows: [['a|b', '12345']] } as const;
    assert.equal(
      drawMarkdown(sheet),
      ['**T**', '', '| work |     n |', '| ---- | ----: |', '| a\\|b | 12345 |'].join('\n'),
    );
  });
});

describe('the section of results', () => {
  it('takes the place of the one before, and leaves the rest alone', () => {
    const text = `# Title\n\n${BEGIN}\nold\n${END}\n\nmore\n`;
    const once = replaceSection(text, 'new');
    assert.equal(once, `# Title\n\n${BEGIN}\n\nnew\n\n${END}\n\nmore\n`);
    assert.equal(replaceSection(once, 'new'), once);
  });

  it('is refused where its place is not clear', () => {
    for (const text of ['', BEGIN, END, `${END}\n${BEGIN}`, `${BEGIN}${END}${BEGIN}${END}`, `${BEGIN}${END}${END}`]) {
      assert.equal(replaceSection(text, 'new'), undefined, text);
    }
  });
});

describe('the file with the results', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-markdown-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('is made when it is not there', async () => {
    const path = join(folder, 'new.md');
    await checkMarkdown(path);
    await writeSection(path, 'figures');
    assert.equal(await readFile(path, 'utf8'), `${BEGIN}\n\nfigures\n\n${END}\n`);
  });

  it('stays as it is when it has no place for them', async () => {
    const path = join(folder, 'other.md');
    await writeFile(path, 'something else');
    const refused = (error: unknown): boolean => StorageError.is(error, 'INVALID_ARGUMENT');
    await assert.rejects(checkMarkdown(path), refused);
    await assert.rejects(writeSection(path, 'figures'), refused);
    assert.equal(await readFile(path, 'utf8'), 'something else');
  });
});
