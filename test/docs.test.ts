import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { REPOSITORY } from './repository.js';

const IGNORED = new Set(['node_modules', 'dist', '.build', '.git']);
const pages = execFileSync('find', ['.', '-name', '*.md', '-not', '-path', '*/node_modules/*'], {
  cwd: REPOSITORY,
  encoding: 'utf8',
})
  .split('\n')
  .map((path) => path.replace(/^\.\//, ''))
  .filter((path) => path !== '' && !IGNORED.has(path.split('/')[0] ?? ''));

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function anchorsOf(path: string): readonly string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, heading = '']) => anchor(heading));
}

/** @returns the targets of all links and images of a page that lie in the repository */
function localLinks(text: string): readonly string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^\w+:/.test(target));
}

describe('the documents', () => {
  for (const page of pages) {
    test(`${page} has no dead link`, () => {
      for (const target of localLinks(readFileSync(join(REPOSITORY, page), 'utf8'))) {
        const [file = '', fragment] = target.split('#');
        const path = file === '' ? join(REPOSITORY, page) : join(REPOSITORY, dirname(page), file);
        assert.ok(existsSync(path), `${target} is not there`);
        if (fragment !== undefined) assert.ok(anchorsOf(path).includes(fragment), `${target} has no such heading`);
      }
    });
  }

  test('the index of decisions lists every decision', () => {
    const index = readFileSync(join(REPOSITORY, 'docs/decisions/README.md'), 'utf8');
    const decisions = pages.filter((page) => /^docs\/decisions\/\d{4}-/.test(page));
    assert.ok(decisions.length > 0);
    for (const page of decisions) assert.ok(localLinks(index).includes(page.slice('docs/decisions/'.length)), page);
  });
});
