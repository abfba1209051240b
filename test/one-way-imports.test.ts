import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ESLint } from 'eslint';
import { REPOSITORY, tableRows } from './repository.js';

const RULE = 'shoal/one-way-imports';
const eslint = new ESLint({ cwd: REPOSITORY, ruleFilter: ({ ruleId }) => ruleId === RULE });

/** @returns what the rule says about `code`, were it the content of `file`, which must exist */
async function complaints(file: string, code: string): Promise<readonly (string | undefined)[]> {
  const [result] = await eslint.lintText(code, { filePath: join(REPOSITORY, file) });
  assert.ok(result !== undefined);
  for (const { ruleId, message } of result.messages) assert.equal(ruleId, RULE, message);
  return result.messages.map(({ messageId }) => messageId);
}

describe('the one-way import rule', () => {
  test('allows imports of lower modules, of the own module and of packages', async () => {
    const code = `import { hash } from 'node:crypto';
      import { toHex } from '../bytes.js';
      import type { Segment } from './segments.js';
      export { hash, toHex, type Segment };`;
    assert.deepEqual(await complaints('src/chunk/ids.ts', code), []);
  });

  test('refuses an import of a higher module in every form', async () => {
    const forms = [
      `import { openLogger } from '../peers/peer-record.js';`,
      `import type { Catalog } from '../catalog/catalog.js';`,
      `export * from '../gateways/http/api.js';`,
      `export { Catalog } from '../catalog/catalog.js';`,
      `export const later = import('../catalog/catalog.js');`,
      `export type Later = import('../catalog/catalog.js').Catalog;`,
    ];
    for (const code of forms) assert.deepEqual(await complaints('src/chunk/ids.ts', code), ['upward'], code);
  });

  test('refuses an import between modules of one row', async () => {
    const crypto = `import { x } from '../erasure/reed-solomon.js'; export { x };`;
    assert.deepEqual(await complaints('src/crypto/seal.ts', crypto), ['upward']);
    const wire = `import { x } from '../store/disk-store.js'; export { x };`;
    assert.deepEqual(await complaints('src/wire/status.ts', wire), ['upward']);
  });

  test('refuses a module without a place, and tests as a source', async () => {
    const unknown = `import { x } from '../nowhere/x.js'; export { x };`;
    assert.deepEqual(await complaints('src/chunk/ids.ts', unknown), ['upward']);
    const outside = `import { needs } from '../../test/needs.js'; export { needs };`;
    assert.deepEqual(await complaints('src/chunk/ids.ts', outside), ['outside']);
  });

  test('leaves tests free', async () => {
    const code = `import { x } from '../src/catalog/catalog.js'; export { x };`;
    assert.deepEqual(await complaints('test/needs.test.ts', code), []);
    assert.deepEqual(await complaints('src/errors.test.ts', `import '../test/needs.js';`), []);
  });

  test('is the order of the modules in ARCHITECTURE.md', async () => {
    const config = pathToFileURL(join(REPOSITORY, 'eslint.config.mjs')).href;
    const { LAYERS } = (await import(config)) as { readonly LAYERS: readonly (readonly string[])[] };
    const rows = tableRows('ARCHITECTURE.md').map(([names = '']) => names.split(/`?, `?/));
    const first = rows.findIndex((row) => row.includes('errors'));
    assert.deepEqual(rows.slice(first).flat().slice(0, LAYERS.flat().length), LAYERS.flat());
  });
});
