// @ts-check
/**
 * src, test, bench, campaign → dist: types, kernel, schema; web → dist/web, and its modules for their tests → dist/web-modules.
 * Fails on a type error, yet emits, so that the rest can be tried.
 *
 *   --out DIR    builds elsewhere, and without dist/web unless it is asked for
 *   --web        bundles the pages, too
 *   --if-stale   does nothing when no input has changed since the last good build
 *   --quiet      says nothing when all is well
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWeb } from './build-web.mjs';
import { withLock } from './lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const COMPILED = ['src', 'test', 'bench', 'campaign'];
/** What Node runs of the pages, their tests, is compiled here: Vite makes `web` of the same sources. */
const WEB_MODULES = 'web-modules';
const INPUTS = [
  ...COMPILED,
  'web',
  'proto',
  'package-lock.json',
  'tsconfig.json',
  'scripts/build.mjs',
  'scripts/build-web.mjs',
];

/** @param {string} directory @returns {string[]} absolute paths of the files below it, sorted */
function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Name, length and time of change of every input: a deleted or older file counts as a change too. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    const path = join(root, input);
    const files = statSync(path, { throwIfNoEntry: false })?.isFile() ? [path] : filesBelow(path);
    for (const file of files) {
      const { size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: -1 };
      hash.update(`${relative(root, file)}\0${String(size)}\0${String(mtimeMs)}\n`);
    }
  }
  return hash.digest('hex');
}

/** @param {string} out */
export function isBuilt(out = join(root, 'dist')) {
  const stamp = join(out, '.stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

/** @param {string} program below node_modules @param {string[]} args @returns {boolean} */
function node(program, args) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', program), ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  return status === 0;
}

/** The output of a deleted source would still be run as a test. @param {string} out */
function removeOrphans(out) {
  const compiled = [...COMPILED.map((folder) => [out, folder]), [join(out, WEB_MODULES), 'web']];
  for (const [base = '', folder = ''] of compiled) {
    for (const file of filesBelow(join(base, folder))) {
      const source = join(root, relative(base, file).replace(/\.js(\.map)?$/, '.ts'));
      const orphaned = !existsSync(source) && !existsSync(`${source}x`);
      if (/\.js(\.map)?$/.test(file) && orphaned) rmSync(file, { force: true });
    }
  }
}

/** @param {string} out @returns {boolean} */
function compileKernel(out) {
  const kernel = join(root, 'src', 'erasure', 'assembly', 'kernel.ts');
  const wasm = join(out, 'src', 'erasure', 'kernel.wasm');
  if (!existsSync(kernel)) return true;
  const sources = [...filesBelow(join(root, 'src', 'erasure', 'assembly')), fileURLToPath(import.meta.url)];
  const built = statSync(wasm, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (sources.every((file) => statSync(file).mtimeMs < built)) return true;
  mkdirSync(join(out, 'src', 'erasure'), { recursive: true });
  return node(
    'assemblyscript/bin/asc.js',
    [
      ['--outFile', wasm],
      ['--runtime', 'stub'],
      ['--enable', 'simd'],
      ['--optimizeLevel', '3'],
      ['--noAssert', '--importMemory'],
      ['--use', 'abort='],
      [kernel],
    ].flat(),
  );
}

/** @param {string} out */
function copySchema(out) {
  const schema = join(root, 'src', 'store', 'schema');
  const copy = join(out, 'src', 'store', 'schema');
  rmSync(copy, { recursive: true, force: true });
  if (existsSync(schema)) cpSync(schema, copy, { recursive: true });
}

/** @param {string} project folder of a tsconfig.json @param {string} out @returns {boolean} */
function compileProject(project, out) {
  const info = join(out, '.tsbuildinfo');
  return node('typescript/bin/tsc', ['-p', project, '--outDir', out, '--tsBuildInfoFile', info]);
}

/** @param {string} out @param {boolean} web @returns {Promise<boolean>} */
async function compile(out, web) {
  const stamp = join(out, '.stamp');
  rmSync(stamp, { force: true });
  const inputs = fingerprint();
  removeOrphans(out);
  const typed = compileProject('.', out);
  const webTyped = compileProject('web', join(out, WEB_MODULES));
  const kernel = compileKernel(out);
  copySchema(out);
  const bundled = web ? await buildWeb(join(out, 'web')) : true;
  const good = typed && webTyped && kernel && bundled;
  if (good) writeFileSync(stamp, inputs);
  return good;
}

/**
 * @param {{ out?: string, web?: boolean, ifStale?: boolean, say?: (line: string) => void }} [options]
 * @returns {Promise<boolean>} false when something does not compile; the compilers have said what
 */
export async function build({ out = join(root, 'dist'), web, ifStale = false, say = () => undefined } = {}) {
  if (ifStale && isBuilt(out)) return true;
  const waiting = () => {
    say(`Another process is building ${relative(root, out)}; waiting for it.`);
  };
  return withLock(
    join(out, '.lock'),
    async () => {
      if (ifStale && isBuilt(out)) return true;
      say(`Building ${relative(root, out)} …`);
      const started = Date.now();
      const good = await compile(out, web ?? out === join(root, 'dist'));
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      say(good ? `Built in ${seconds} s.` : `The build failed after ${seconds} s.`);
      return good;
    },
    waiting,
  );
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const flag = process.argv.indexOf('--out');
  const web = process.argv.includes('--web');
  const good = await build({
    ...(web ? { web } : {}),
    out: resolve(root, flag < 0 ? 'dist' : (process.argv[flag + 1] ?? 'dist')),
    ifStale: process.argv.includes('--if-stale'),
    say: process.argv.includes('--quiet') ? () => undefined : (line) => process.stderr.write(`${line}\n`),
  });
  process.exitCode = good ? 0 : 1;
}
