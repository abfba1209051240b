import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../errors.js';
import { SFTP_EARLY_BYTES, SFTP_STREAM_AHEAD_BYTES } from '../../limits.js';
import { StreamDraft } from './stream-draft.js';

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

function put(draft: StreamDraft<string>, offset: number, data: string): Promise<void> {
  assert.ok(draft.takes(offset, data.length));
  return draft.write(offset, Buffer.from(data, 'latin1'));
}

test('what overtakes waits for what it overtook', async () => {
  const draft = new StreamDraft(text);
  for (const [offset, data] of [
    [0, 'ab'],
    [4, 'ef'],
    [6, 'g'],
    [2, 'cd'],
    [7, 'h'],
  ] as const) {
    await put(draft, offset, data);
  }
  assert.equal(draft.bytes, 8);
  assert.equal(await draft.finish(), 'abcdefgh');
});

test('what never comes is zeros', async () => {
  const draft = new StreamDraft(text);
  await put(draft, 0, 'ab');
  await put(draft, 4, 'efgh');
  await put(draft, 6, 'GHI');
  assert.equal(await draft.finish(), 'ab\0\0efghI');
});

test('what goes back, or too far ahead, is not for a stream', async () => {
  const draft = new StreamDraft(text);
  await put(draft, 0, 'abcd');
  assert.equal(draft.takes(3, 1), false);
  assert.equal(draft.takes(4 + SFTP_EARLY_BYTES, 1), false);
  assert.equal(draft.takes(4 + SFTP_EARLY_BYTES - 1, 1), true);
  await put(draft, 10, 'x');
  assert.equal(draft.takes(10, 1), false);
  await draft.abort();
});

test('a writer waits for a put that is behind, and learns why it failed', async () => {
  let resume = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const failure = new StorageError('NO_SPACE', 'full');
  const draft = new StreamDraft(async (source) => {
    await held;
    for await (const part of source) if (part.length > 0) throw failure;
  });
  let isThrough = false;
  const write = draft.write(0, Buffer.alloc(SFTP_STREAM_AHEAD_BYTES + 1)).then(() => (isThrough = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isThrough, false);
  resume();
  await write;
  await assert.rejects(draft.finish(), failure);
  await assert.rejects(draft.write(SFTP_STREAM_AHEAD_BYTES + 1, Buffer.alloc(1)), failure);
});

test('an abort ends the put', async () => {
  let reason: unknown;
  const draft = new StreamDraft(async (source) => {
    try {
      return await text(source);
    } catch (error) {
      reason = error;
      throw error;
    }
  });
  await put(draft, 0, 'ab');
  await draft.abort();
  assert.ok(StorageError.is(reason, 'CANCELLED'));
});
