// @ts-check
/** proto/ → src/gen/, by protoc and ts-proto. `--check` fails when the committed code is stale. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const target = join(root, 'src', 'gen');

/** @param {string} directory @returns {string[]} */
function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

const fresh = mkdtempSync(join(tmpdir(), 'shoal-generate-'));
try {
  const protos = files(join(root, 'proto')).filter((name) => name.endsWith('.proto'));
  execFileSync(
    join(bin, 'protoc'),
    [
      `--plugin=protoc-gen-ts_proto=${join(bin, 'protoc-gen-ts_proto')}`,
      `--ts_proto_out=${fresh}`,
      '--ts_proto_opt=esModuleInterop=true,importSuffix=.js,oneof=unions-value,outputServices=grpc-js,forceLong=number,outputJsonMethods=false,outputPartialMethods=false,useExactTypes=false,outputTypeRegistry=false,unrecognizedEnum=false,annotateFilesWithVersion=false',
      `-I${join(root, 'proto')}`,
      ...protos,
    ],
    { stdio: 'inherit' },
  );
  if (process.argv.includes('--check')) {
    const stale = [...new Set([...files(fresh), ...files(target)])].filter((name) => {
      try {
        return readFileSync(join(fresh, name), 'utf8') !== readFileSync(join(target, name), 'utf8');
      } catch {
        return true;
      }
    });
    if (stale.length > 0) {
      console.error(`src/gen/ is stale (${stale.join(', ')}): run npm run generate and commit the result.`);
      process.exitCode = 1;
    }
  } else {
    rmSync(target, { recursive: true, force: true });
    cpSync(fresh, target, { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
