import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { openProgress } from './progress.js';
import type { Runtime } from './runtime.js';

/** With the methods that cli-progress asks a terminal for before it draws. */
class FakeTerminal extends PassThrough {
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  cursorTo(): void {
    this.write('\r');
  }

  clearLine(): void {
    this.write('\r');
  }
}

async function transfer(options: {
  isTTY: boolean;
  json?: boolean;
  lengthKnown?: boolean;
  skip?: number;
}): Promise<string> {
  const stderr = new FakeTerminal(options.isTTY);
  const { signal } = new AbortController();
  const runtime: Runtime = { stderr, stdout: new PassThrough(), stdin: new PassThrough(), env: {}, signal };
  const note = (text: string): unknown => stderr.write(`${text}\n`);
  const invocation = { runtime, json: options.json === true, note };
  const progress = await openProgress(invocation, { label: 'put', lengthKnown: options.lengthKnown !== false });
  progress.expect(2e6);
  if (options.skip !== undefined) {
    progress.skip(options.skip);
    progress.note(`resuming at ${String(options.skip)}`);
  }
  progress.advance(4e5);
  progress.advance(6e5);
  progress.stop();
  progress.stop();
  return String(stderr.read() ?? '');
}

describe('progress', () => {
  it('shows how far it is, how fast, and how long it takes, on a terminal', async () => {
    assert.match(await transfer({ isTTY: true }), /50%.* 1\.0 MB of 2\.0 MB.* MB\/s.* left/);
  });

  it('shows no bar for a stream without an end', async () => {
    const text = await transfer({ isTTY: true, lengthKnown: false });
    assert.match(text, /1\.0 MB.* MB\/s/);
    assert.doesNotMatch(text, /%| of |left/);
  });

  it('counts what was done before, and says so above the bar', async () => {
    const text = await transfer({ isTTY: true, skip: 5e5 });
    assert.match(text, /\r\u001b\[Kresuming at 500000\n/);
    assert.match(text, /75%.* 1\.5 MB of 2\.0 MB/);
  });

  it('is silent in a pipe and with --json', async () => {
    assert.equal(await transfer({ isTTY: false }), '');
    assert.equal(await transfer({ isTTY: true, json: true }), '');
  });
});
