// @ts-check
/**
 * npm test: every *.test.ts, by Node's test runner. Words select files by a part of their path (`npm test -- wire disk`);
 * options go to the runner (`npm test -- --test-name-pattern=resume`).
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

/** Of one test and, the runner being what it is, of one file too. */
const TIMEOUT_MS = 300_000;
/** Files at once: more only makes them wait for each other on two cores. */
const CONCURRENCY = 2;

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const report = new URL('./test-report.mjs', import.meta.url).href;

/** @param {string[]} words @returns {string[]} */
function testFiles(words) {
  return ['src', 'test', 'bench', 'campaign', 'web-modules/web']
    .map((folder) => join(dist, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) => words.length === 0 || words.some((word) => relative(dist, file).split(sep).join('/').includes(word)),
    )
    .sort();
}

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const words = args.filter((arg) => !arg.startsWith('-')).map((word) => word.replace(/\.ts$/, ''));

if (await setUp()) {
  const files = testFiles(words);
  if (files.length > 0) {
    await run([
      '--enable-source-maps',
      '--test',
      `--test-concurrency=${String(CONCURRENCY)}`,
      `--test-timeout=${String(TIMEOUT_MS)}`,
      `--test-reporter=${report}`,
      '--test-reporter-destination=stdout',
      ...options,
      ...files,
    ]);
  } else {
    console.error(`No test file has ${words.join(' or ')} in its path.`);
    process.exitCode = 1;
  }
} else process.exitCode = 1;
