import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { StorageError, type ErrorCode } from '../errors.js';
import { findNginx } from './nginx-program.js';

const MODULES = '--with-http_ssl_module --with-http_v2_module --with-http_auth_request_module';

describe('the nginx of this machine', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-nginx-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** A program that says so of itself. */
  async function pretend(said: string): Promise<string> {
    const path = join(folder, 'nginx');
    await writeFile(path, `#!/bin/sh\necho '${said}' >&2\n`);
    await chmod(path, 0o700);
    return path;
  }

  const refused = (code: ErrorCode, words: RegExp) => (error: unknown) => {
    assert.ok(StorageError.is(error, code), String(error));
    assert.match(error.message, words);
    return true;
  };

  it('is found where programs are', async () => {
    const path = await pretend(`nginx version: nginx/1.24.0\nconfigure arguments: ${MODULES}`);
    assert.deepEqual(await findNginx(undefined, { PATH: folder }), { path, version: [1, 24, 0] });
    assert.deepEqual((await findNginx(path)).version, [1, 24, 0]);
  });

  it('may be too old, or lack what is needed, or be none', async () => {
    const old = await pretend(`nginx version: nginx/1.18.0\nconfigure arguments: ${MODULES}`);
    await assert.rejects(
      findNginx(old),
      refused('UNSUPPORTED', /1\.18\.0.*1\.22\.0 is the oldest.*leave --nginx away/),
    );
    const bare = await pretend('nginx version: nginx/1.25.3\nconfigure arguments: --with-http_ssl_module');
    await assert.rejects(findNginx(bare), refused('UNSUPPORTED', /http_v2_module, http_auth_request_module/));
    const without = await pretend(`nginx version: nginx/1.25.3\nconfigure: ${MODULES} --without-http_grpc_module`);
    await assert.rejects(findNginx(without), refused('UNSUPPORTED', /built without http_grpc_module/));
    await assert.rejects(findNginx(await pretend('hello')), refused('UNSUPPORTED', /does not say that it is nginx/));
    await assert.rejects(findNginx(join(folder, 'nothing')), refused('NOT_FOUND', /nothing/));
  });
});
