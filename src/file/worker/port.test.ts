import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { StorageError } from '../../errors.js';
import { PortCalls, Transferred, type Remote } from './port.js';

const NEVER = new AbortController().signal;

class Handlers {
  readonly aborted: unknown[] = [];
  readonly held: (() => void)[] = [];
  running = 0;

  async double(value: number): Promise<number> {
    return value * 2;
  }

  async refuse(code: 'NO_SPACE' | 'bug'): Promise<void> {
    if (code === 'bug') throw new TypeError('undefined is not a function');
    throw new StorageError(code, 'The disk is full.');
  }

  /** Ends when the test lets it. */
  async hold(value: string, signal: AbortSignal): Promise<string> {
    signal.addEventListener('abort', () => this.aborted.push(signal.reason));
    this.running++;
    await new Promise<void>((resolve) => this.held.push(resolve));
    return value;
  }

  async first(bytes: Uint8Array): Promise<Transferred<Uint8Array>> {
    return new Transferred(bytes, [bytes.buffer as ArrayBuffer]);
  }
}

describe('PortCalls', () => {
  let channel: MessageChannel;
  let handlers: Handlers;
  let caller: PortCalls;
  let remote: Remote<Handlers>;

  beforeEach(() => {
    channel = new MessageChannel();
    handlers = new Handlers();
    new PortCalls(channel.port2, handlers);
    caller = new PortCalls(channel.port1, {});
    remote = caller.remote<Handlers>();
  });
  afterEach(async () => {
    const closed = once(channel.port2, 'close');
    channel.port1.close();
    await closed;
  });

  async function started(count: number): Promise<void> {
    while (handlers.running < count) await turn();
  }

  it('returns what the handler of the other end returns', async () => {
    assert.equal(await remote.double(21, { signal: NEVER }), 42);
  });

  it('keeps calls apart that are under way at once, whichever ends first', async () => {
    const calls = ['a', 'b', 'c'].map((value) => remote.hold(value, { signal: NEVER }));
    await started(3);
    for (const release of handlers.held.toReversed()) release();
    assert.deepEqual(await Promise.all(calls), ['a', 'b', 'c']);
  });

  it('brings a StorageError over with its code and message', async () => {
    await assert.rejects(remote.refuse('NO_SPACE', { signal: NEVER }), (error) => {
      assert.ok(StorageError.is(error, 'NO_SPACE'));
      assert.equal(error.message, 'The disk is full.');
      return true;
    });
  });

  it('makes INTERNAL of any other error, and of a method that is not there', async () => {
    await assert.rejects(remote.refuse('bug', { signal: NEVER }), { code: 'INTERNAL', message: /not a function/ });
    const missing = caller.remote<{ nothing(params: null, signal: AbortSignal): Promise<void> }>();
    await assert.rejects(missing.nothing(null, { signal: NEVER }), { code: 'INTERNAL', message: /no handler/ });
  });

  it('rejects at once with the reason when aborted, and aborts the handler', async () => {
    const abort = new AbortController();
    const held = remote.hold('x', { signal: abort.signal });
    await started(1);
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(held, (error) => error === reason);
    for (let turns = 0; turns < 1000 && handlers.aborted.length === 0; turns++) await turn();
    assert.ok(StorageError.is(handlers.aborted[0], 'CANCELLED'));
    for (const release of handlers.held) release();
    assert.equal(await remote.double(1, { signal: NEVER }), 2);
  });

  it('does not call at all when it is aborted already', async () => {
    const reason = new Error('before');
    await assert.rejects(remote.hold('x', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    await remote.double(1, { signal: NEVER });
    assert.equal(handlers.running, 0);
  });

  it('rejects what is under way, and every later call, when the other end is gone', async () => {
    const held = remote.hold('x', { signal: NEVER });
    await started(1);
    const gone = new StorageError('UNAVAILABLE', 'gone');
    caller.fail(gone);
    caller.fail(new StorageError('INTERNAL', 'the first reason counts'));
    await assert.rejects(held, (error) => error === gone);
    await assert.rejects(remote.double(1, { signal: NEVER }), (error) => error === gone);
  });

  it('hands buffers over both ways', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const back = await remote.first(bytes, { signal: NEVER, transfer: [bytes.buffer] });
    assert.equal(bytes.length, 0);
    assert.deepEqual(back, Uint8Array.of(1, 2, 3));
  });
});
