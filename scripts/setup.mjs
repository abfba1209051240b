// @ts-check
/**
 * What a fresh clone needs before anything runs: dependencies and a build. Does nothing, quickly, when both are there.
 * `ignore-scripts` in .npmrc keeps npm from running pre-scripts, so every entry point calls this by itself.
 * Speaks on standard error only: a command's standard output belongs to the command.
 */
import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { withLock } from './lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 19];

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

function nodeIsTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

/** npm writes node_modules/.package-lock.json last, so an interrupted installation does not count. */
function isInstalled() {
  const installed = statSync(join(root, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** @returns {boolean} */
function install() {
  if (isInstalled()) return true;
  say('Installing the dependencies (npm ci) …');
  const started = Date.now();
  const { status, error } = spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status === 0) say(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  else say(`npm ci failed${error === undefined ? '' : ` (${error.message})`}. See above, mend it and try again.`);
  return status === 0;
}

/**
 * @param {{ build?: boolean }} [wanted] without a build only the dependencies
 * @returns {Promise<boolean>} false when it could not be done; the reason has been said
 */
export async function setUp(wanted = {}) {
  if (nodeIsTooOld()) {
    say(
      `Shoal needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. Get it at https://nodejs.org/.`,
    );
    return false;
  }
  const waiting = () => {
    say('Another process is installing the dependencies; waiting for it.');
  };
  if (!isInstalled() && !(await withLock(join(root, '.build', 'install.lock'), install, waiting))) return false;
  return wanted.build === false || build({ ifStale: true, say });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = (await setUp()) ? 0 : 1;
}
