import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Gate, KeyedGate } from './gate.js';

const { signal } = new AbortController();

/** Lets every promise that can resolve do so. */
const turn = (): Promise<void> => new Promise(setImmediate);

describe('Gate', () => {
  it('lets so many in, and the others in order of arrival', async () => {
    const gate = new Gate(2);
    const events: string[] = [];
    const leave = new Map<string, () => void>();
    for (const name of ['a', 'b', 'c', 'd']) {
      void gate.enter(signal).then((leaving) => {
        events.push(name);
        leave.set(name, leaving);
      });
    }
    await turn();
    assert.deepEqual(events, ['a', 'b']);
    leave.get('b')?.();
    await turn();
    assert.deepEqual(events, ['a', 'b', 'c']);
    leave.get('a')?.();
    leave.get('c')?.();
    await turn();
    assert.deepEqual(events, ['a', 'b', 'c', 'd']);
    leave.get('d')?.();
    assert.equal(gate.idle, true);
  });

  it('who gives up waiting is passed over', async () => {
    const gate = new Gate(1);
    const leave = await gate.enter(signal);
    const controller = new AbortController();
    const impatient = gate.enter(controller.signal);
    const patient = gate.enter(signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(impatient, reason);
    await assert.rejects(gate.enter(controller.signal), reason);
    leave();
    (await patient)();
    assert.equal(gate.idle, true);
  });
});

describe('KeyedGate', () => {
  it('keys do not wait for each other, and the same key does', async () => {
    const gates = new KeyedGate<string>();
    const leaveA = await gates.enter('a', signal);
    const leaveB = await gates.enter('b', signal);
    let entered = false;
    const second = gates.enter('a', signal).then((leave) => {
      entered = true;
      return leave;
    });
    await turn();
    assert.equal(entered, false);
    leaveA();
    (await second)();
    leaveB();
    (await gates.enter('a', signal))();
  });
});
