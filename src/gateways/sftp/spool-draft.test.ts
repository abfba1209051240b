import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { SPOOL_BLOCK_BYTES } from '../../limits.js';
import type { SpoolOptions } from './spool.js';
import { clearSpools } from './spool.js';
import { SpoolDraft } from './spool-draft.js';

const MOST = 12 * SPOOL_BLOCK_BYTES;
let options: SpoolOptions;

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-spool-'));
  options = { folder, reserveBytes: 0, freeBytes: async () => 2 ** 40 };
  await clearSpools(folder);
});
after(() => rm(options.folder, { recursive: true, force: true }));

async function all(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const part of parts) read.push(Buffer.from(part));
  return Buffer.concat(read);
}

const step = fc.oneof(
  fc.record({ write: fc.nat(MOST), bytes: fc.nat(150_000) }),
  fc.record({ truncate: fc.nat(MOST) }),
  fc.record({ read: fc.nat(MOST), bytes: fc.nat(200_000) }),
);

test('any writes, cuts and reads are as those of a file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(MOST), fc.array(step, { maxLength: 12 }), async (baseBytes, steps) => {
      const base = randomBytes(baseBytes);
      const draft = await SpoolDraft.open(options, {
        bytes: base.length,
        async *read({ from, to }) {
          yield base.subarray(from, to);
        },
      });
      let model = Buffer.from(base);
      const grow = (bytes: number): void => {
        if (bytes > model.length) model = Buffer.concat([model, Buffer.alloc(bytes - model.length)]);
      };
      for (const each of steps) {
        if ('write' in each) {
          const data = randomBytes(each.bytes);
          await draft.write(each.write, data);
          if (data.length === 0) continue;
          grow(each.write + data.length);
          data.copy(model, each.write);
        } else if ('truncate' in each) {
          await draft.truncate(each.truncate);
          grow(each.truncate);
          model = model.subarray(0, each.truncate);
        } else {
          const got = Buffer.concat(await draft.read(each.read, each.bytes));
          assert.ok(got.equals(model.subarray(each.read, each.read + each.bytes)));
        }
      }
      assert.equal(draft.bytes, model.length);
      assert.ok((await all(draft.source())).equals(model));
      await draft.close();
    }),
    { numRuns: 40 },
  );
});

test('an edit in the middle fetches one block of a large file', async () => {
  let fetched = 0;
  const draft = await SpoolDraft.open(options, {
    bytes: 2 ** 40,
    async *read({ from, to }) {
      fetched += to - from;
      yield Buffer.alloc(to - from);
    },
  });
  await draft.write(2 ** 39 + 5, Buffer.from('edit'));
  await draft.write(2 ** 39 + 100, Buffer.from('again'));
  assert.equal(Buffer.concat(await draft.read(2 ** 39 + 5, 4)).toString(), 'edit');
  assert.deepEqual([fetched, draft.bytes], [SPOOL_BLOCK_BYTES, 2 ** 40]);
  await draft.close();
});
