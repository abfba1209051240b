import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../../src/errors.js';
import { runCommand, type Command } from './command.js';

const signal = new AbortController().signal;

function node(script: string, timeoutMs = 60_000): Command {
  return { file: process.execPath, args: ['-e', script], timeoutMs };
}

describe('a measured command', () => {
  it('gives its output and what it took', { skip: process.platform !== 'linux' && 'needs /proc' }, async () => {
    const { stdout, cpuSeconds, peakBytes } = await runCommand(node('process.stdout.write("done")'), signal);
    assert.equal(stdout.toString(), 'done');
    // Node itself cannot start within a tick of the clock, nor in a mebibyte.
    assert.ok(cpuSeconds > 0 && peakBytes > 2 ** 20, `${String(cpuSeconds)} s, ${String(peakBytes)} bytes`);
  });

  it('that fails is no measurement, and says why', async () => {
    await assert.rejects(
      runCommand(node('console.error("no such peer"); process.exit(3)'), signal),
      /\(3\).*no such peer/,
    );
  });

  it('that hangs is killed in the end', async () => {
    await assert.rejects(runCommand(node('setInterval(() => {}, 1000)', 100), signal), (error) =>
      StorageError.is(error, 'TIMEOUT'),
    );
  });

  it('ends with the benchmark', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = runCommand(node('setInterval(() => {}, 1000)'), controller.signal);
    controller.abort(reason);
    await assert.rejects(running, reason);
  });

  it('that is not installed is named', async () => {
    const missing = { file: 'no-such-program', args: [], timeoutMs: 1000 };
    await assert.rejects(runCommand(missing, signal), /no-such-program/);
  });
});
