// @ts-check
import { spawn } from 'node:child_process';

/**
 * Runs Node.js with these arguments in place of this process: same streams, same signals, same exit.
 *
 * @param {string[]} args
 * @param {{ exit?: boolean }} [options] exit: false returns the exit code instead of leaving with it
 * @returns {Promise<number>}
 */
export async function run(args, { exit = true } = {}) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal has sent Ctrl-C to the child already; twice would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, forward);
  /** @type {[number | null, NodeJS.Signals | null]} */
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...result) => {
      resolve(result);
    });
  });
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.off(name, forward);
  if (exit && signal !== null) process.kill(process.pid, signal);
  if (exit) process.exitCode = code ?? 1;
  return code ?? 1;
}
