import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../../errors.js';
import { linesWithin, splitLines } from './ndjson.js';

async function split(parts: readonly Uint8Array[], maxChars = 1000): Promise<string[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* parts;
  }
  const lines: string[] = [];
  for await (const line of splitLines(source(), maxChars)) lines.push(line);
  return lines;
}

describe('splitLines', () => {
  it('gives the same lines wherever the bytes are cut', async () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n')));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(200)), async (lines, cuts) => {
        const bytes = Buffer.from(lines.join('\n'));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const parts = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        assert.deepEqual(
          await split(parts),
          lines.filter((line) => line !== ''),
        );
      }),
    );
  });

  it('refuses a line without an end before it holds it', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(100, 'x');
    }
    await assert.rejects(
      async () => {
        for await (const line of splitLines(endless(), 1000)) assert.fail(line);
      },
      (error) => StorageError.is(error, 'LIMIT_EXCEEDED'),
    );
  });

  it('goes on behind a line that is too long, where that is asked for', async () => {
    const text = Buffer.from(`one\n${'x'.repeat(35)}\ntwo\n${'y'.repeat(11)}\n\n${'z'.repeat(30)}`);
    for (const size of [1, 3, 7, 12, text.length]) {
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
      };
      const found: (string | undefined)[] = [];
      for await (const line of linesWithin(source(), 10)) found.push(line);
      assert.deepEqual(found, ['one', undefined, 'two', undefined, undefined], `pieces of ${String(size)}`);
    }
  });

  it('refuses a long line that has an end', async () => {
    await assert.rejects(split([Buffer.from(`${'x'.repeat(11)}\n`)], 10), (error) =>
      StorageError.is(error, 'LIMIT_EXCEEDED'),
    );
  });
});
