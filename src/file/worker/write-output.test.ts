import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { BLOCK_BYTES } from '../../limits.js';
import { writeOutput } from './write-output.js';

async function temporaryFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-output-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'out');
}

function* blocksOf(content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += BLOCK_BYTES) yield content.subarray(at, at + BLOCK_BYTES);
}

describe('writeOutput', () => {
  const lengths = [1, 4096, 262_144, 262_145, 3 * 1_048_576, 3 * 1_048_576 + 77, 1_048_576 + 4096 + 1];
  for (const direct of [false, true]) {
    it(`writes every length to the byte, ${direct ? 'past' : 'through'} the cache`, async (context) => {
      const file = await temporaryFile(context);
      for (const length of lengths) {
        const content = randomBytes(length);
        await writeOutput(blocksOf(content), length, { file, position: 0, direct });
        assert.ok((await readFile(file)).equals(content), String(length));
        await rm(file);
      }
    });

    it(`writes extents of one file at once, each in its place, ${direct ? 'past' : 'through'} the cache`, async (context) => {
      const file = await temporaryFile(context);
      const content = randomBytes(40 * BLOCK_BYTES + 123);
      const border = 17 * BLOCK_BYTES;
      await Promise.all([
        writeOutput(blocksOf(content.subarray(border)), content.length - border, { file, position: border, direct }),
        writeOutput(blocksOf(content.subarray(0, border)), border, { file, position: 0, direct }),
      ]);
      assert.ok((await readFile(file)).equals(content));
    });
  }

  it('begins at any byte, direct or not', async (context) => {
    const file = await temporaryFile(context);
    await writeFile(file, Buffer.alloc(5));
    const content = randomBytes(5 * BLOCK_BYTES);
    await writeOutput(blocksOf(content), content.length, { file, position: 5, direct: true });
    assert.ok((await readFile(file)).subarray(5).equals(content));
    assert.equal((await stat(file)).size, content.length + 5);
  });

  it('passes on what the blocks fail with, and uses its memory again', async (context) => {
    const file = await temporaryFile(context);
    const content = randomBytes(20 * BLOCK_BYTES);
    const broken = function* (): Generator<Uint8Array> {
      yield* blocksOf(content);
      throw new Error('a seal that does not hold');
    };
    for (let round = 0; round < 3; round++) {
      const output = { file, position: 0, direct: true };
      await assert.rejects(writeOutput(broken(), 30 * BLOCK_BYTES, output), /does not hold/);
    }
    await writeOutput(blocksOf(content), content.length, { file, position: 0, direct: true });
    assert.ok((await readFile(file)).equals(content));
  });
});
