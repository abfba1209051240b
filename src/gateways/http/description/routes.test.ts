import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { findPackage } from '../../../package.js';
import { ROUTES } from './routes.js';

it('docs/http-api.md has a row for every route, and for none that is not there', () => {
  const page = readFileSync(join(findPackage().folder, 'docs', 'http-api.md'), 'utf8');
  const written = page.split('\n').filter((line) => /^\| `[A-Z]+ \//.test(line));
  const rows = Object.entries(ROUTES).map(
    ([route, { about }]) => `| \`${route.replace(' /v1', ' ').replace(/:(\w+)/, '{$1}')}\` | ${about} |`,
  );
  assert.deepEqual(written.toSorted(), rows.toSorted());
});
