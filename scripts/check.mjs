// @ts-check
/** npm run check: format, lint, types, generated code. Every step runs; one that fails shows what it said. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** @type {readonly (readonly [name: string, ...args: string[]])[]} */
const STEPS = [
  ['format', 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['lint', 'node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'],
  ['types', 'node_modules/typescript/bin/tsc', '-p', '.', '--noEmit', '--incremental', 'false'],
  ['types of the pages', 'node_modules/typescript/bin/tsc', '-p', 'web', '--noEmit', '--incremental', 'false'],
  ['types of scripts', 'node_modules/typescript/bin/tsc', '-p', 'scripts'],
  ['generated code', 'scripts/generate.mjs', '--check'],
  ['generated docs', 'scripts/document-limits.mjs', '--check'],
];

/** @param {readonly [string, ...string[]]} step @returns {boolean} */
function passes([name, program = '', ...args]) {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, program), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${seconds} s  ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd());
  return status === 0;
}

if (await setUp({ build: false })) {
  const failed = STEPS.filter((step) => !passes(step));
  process.exitCode = failed.length === 0 ? 0 : 1;
} else process.exitCode = 1;
