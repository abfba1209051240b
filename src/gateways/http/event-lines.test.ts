import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { StorageError } from '../../errors.js';
import { EventLines } from './event-lines.js';

type Event = { readonly event: 'stored'; readonly path: string } | { readonly event: 'done' };

async function read(lines: EventLines<Event>): Promise<string[]> {
  let text = '';
  for await (const part of lines.stream) text += String(part);
  assert.ok(text === '' || text.endsWith('\n'));
  return text.split('\n').slice(0, -1);
}

describe('EventLines', () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it('is a line of JSON for each event, in order, and ends when the work does', async () => {
    const lines = new EventLines<Event>();
    await lines.run(async () => {
      lines.push({ event: 'stored', path: '/line\nbreak' });
      lines.push({ event: 'done' });
    });
    assert.deepEqual(await read(lines), ['{"event":"stored","path":"/line\\nbreak"}', '{"event":"done"}']);
  });

  it('sums up progress, and tells it before what follows', async () => {
    const lines = new EventLines<Event>();
    await lines.run(async () => {
      lines.progress(1);
      lines.progress(2);
      mock.timers.tick(1000);
      lines.progress(3);
      lines.progress(4);
      lines.push({ event: 'done' });
    });
    const progress = (bytes: number): string => `{"event":"progress","bytes":${String(bytes)}}`;
    assert.deepEqual(await read(lines), [progress(3), progress(7), '{"event":"done"}']);
  });

  it('waits a moment to send many at once, but not until the end', () => {
    const lines = new EventLines<Event>();
    lines.push({ event: 'stored', path: '/a' });
    lines.push({ event: 'stored', path: '/b' });
    assert.equal(lines.stream.readableLength, 0);
    mock.timers.tick(1000);
    assert.equal(String(lines.stream.read()).split('\n').length, 3);
    for (let n = 0; n < 1000; n++) lines.push({ event: 'stored', path: `/${'x'.repeat(50)}` });
    assert.ok(lines.stream.readableLength > 16 * 1024);
  });

  it('ends with the failure of the work', async () => {
    const lines = new EventLines<Event>();
    await lines.run(async () => {
      lines.push({ event: 'stored', path: '/a' });
      throw new StorageError('LOCKED', 'Unlock first.');
    });
    assert.deepEqual((await read(lines)).slice(1), ['{"event":"error","code":"LOCKED","message":"Unlock first."}']);
  });

  it('lets the work end when nobody reads any more', async () => {
    const lines = new EventLines<Event>();
    lines.stream.destroy();
    await lines.run(async () => {
      lines.push({ event: 'done' });
    });
  });
});
