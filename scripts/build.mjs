// @ts-check
/** src, test, bench → dist: types, kernel, schema. `--out DIR` builds elsewhere, `--quiet` says nothing when all is well. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const flag = process.argv.indexOf('--out');
const out = resolve(root, flag < 0 ? 'dist' : (process.argv[flag + 1] ?? 'dist'));

/** @param {string} program @param {string[]} args */
function node(program, args) {
  execFileSync(process.execPath, [join(root, 'node_modules', program), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

mkdirSync(out, { recursive: true });
node('typescript/bin/tsc', ['-p', '.', '--outDir', out, '--tsBuildInfoFile', join(out, '.tsbuildinfo')]);

const kernel = join(root, 'src', 'erasure', 'assembly', 'kernel.ts');
if (existsSync(kernel)) {
  mkdirSync(join(out, 'src', 'erasure'), { recursive: true });
  node('assemblyscript/bin/asc.js', [
    kernel,
    '--outFile',
    join(out, 'src', 'erasure', 'kernel.wasm'),
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--optimizeLevel',
    '3',
    '--noAssert',
    '--importMemory',
    '--use',
    'abort=',
  ]);
}

const schema = join(root, 'src', 'store', 'schema');
if (existsSync(schema) && readdirSync(schema).length > 0)
  cpSync(schema, join(out, 'src', 'store', 'schema'), { recursive: true });
