import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linesOf } from './lines.js';

async function read(...parts: string[]): Promise<unknown[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  const found: unknown[] = [];
  for await (const value of linesOf(new Response(body))) found.push(value);
  return found;
}

describe('linesOf', () => {
  it('puts lines together that came in pieces, and takes the last one without its end', async () => {
    assert.deepEqual(await read('{"a":1}\n{"b"', ':2}\n\n{"c"', ':3}'), [{ a: 1 }, { b: 2 }, { c: 3 }]);
  });

  it('is empty for nothing', async () => {
    assert.deepEqual(await read(), []);
    assert.deepEqual(await read('\n'), []);
  });
});
