import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Permits } from './permits.js';
import { Turns, type Work } from './turns.js';

const NEVER = new AbortController().signal;

/** Takes turns and says whose began, in order. */
class Requests {
  readonly began: string[] = [];
  readonly ends: (() => void)[] = [];
  readonly #turns: Turns;
  readonly #requests = new Map<string, object>();

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  async take(request: string, work: Work, signal = NEVER): Promise<void> {
    const key = this.#requests.get(request) ?? {};
    this.#requests.set(request, key);
    const end = await this.#turns.take(work, key, signal);
    this.began.push(request);
    this.ends.push(end);
  }

  async endOne(): Promise<void> {
    this.ends.shift()?.();
    await turn();
  }
}

describe('Turns', () => {
  it('lets no more stripes be in work than it may, whoever asks', async () => {
    const turns = new Turns({ each: 2, together: 3 });
    const requests = new Requests(turns);
    for (let n = 0; n < 5; n++) void requests.take(`put ${String(n)}`, 'put');
    for (let n = 0; n < 5; n++) void requests.take(`get ${String(n)}`, 'get');
    await turn();
    assert.deepEqual(requests.began, ['put 0', 'put 1', 'get 0']);
    for (let left = 10; left > 0; left--) {
      assert.ok(turns.running <= 3);
      await requests.endOne();
    }
    assert.equal(requests.began.length, 10);
    assert.equal(turns.running, 0);
  });

  it('a get finds a place beside puts, however many wait', async () => {
    const requests = new Requests(new Turns({ each: 2, together: 3 }));
    for (let n = 0; n < 100; n++) void requests.take('large put', 'put');
    await turn();
    void requests.take('small get', 'get');
    await turn();
    assert.ok(requests.began.includes('small get'));
  });

  it('requests take turns: a small one waits for one stripe of a large one', async () => {
    const requests = new Requests(new Turns({ each: 1, together: 1 }));
    for (let n = 0; n < 4; n++) void requests.take('large', 'put');
    for (let n = 0; n < 2; n++) void requests.take('small', 'put');
    for (let n = 0; n < 6; n++) {
      await turn();
      await requests.endOne();
    }
    assert.deepEqual(requests.began, ['large', 'large', 'small', 'large', 'small', 'large']);
  });

  it('one that waits can be aborted, and loses nobody its turn', async () => {
    const turns = new Turns({ each: 1, together: 1 });
    const requests = new Requests(turns);
    await requests.take('first', 'get');
    const abort = new AbortController();
    const waiting = requests.take('second', 'get', abort.signal);
    void requests.take('third', 'get');
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await requests.endOne();
    assert.deepEqual(requests.began, ['first', 'third']);
    await requests.endOne();
    assert.equal(turns.running, 0);
    await assert.rejects(turns.take('get', {}, abort.signal), (error) => error === reason);
  });

  it('a turn that is ended twice frees one place', async () => {
    const turns = new Turns({ each: 2, together: 2 });
    const [one, two] = [await turns.take('get', {}, NEVER), await turns.take('get', {}, NEVER)];
    one();
    one();
    assert.equal(turns.running, 1);
    two();
  });
});

describe('Permits', () => {
  it('are shared in equal parts, and whoever leaves gives its own back', () => {
    const permits = new Permits(4);
    const alone = permits.join();
    const first = Array.from({ length: 5 }, () => alone.take());
    assert.deepEqual(
      first.map((release) => release !== undefined),
      [true, true, true, true, false],
    );
    const other = permits.join();
    assert.equal(other.take(), undefined);
    first[0]?.();
    first[0]?.();
    assert.equal(alone.take(), undefined, 'two for each now');
    assert.ok(other.take() !== undefined);
    alone.leave();
    alone.leave();
    for (let n = 0; n < 3; n++) assert.ok(other.take() !== undefined);
    assert.equal(other.take(), undefined);
    assert.equal(alone.take(), undefined);
  });
});
