/** The web server of a peer whose services are processes of their own: what it passes on, and what outlives a process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/cli/run-cli.js';
import type { LinkReply, TokenReply } from '../../src/gateways/http/web-api.js';
import { needs } from '../needs.js';
import { WebCaller } from '../planet/web-caller.js';
import { ProcessStage } from '../processes/stage.js';
import { REPOSITORY } from '../repository.js';
import { seededBytes } from './programs/seeded.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const BYTES = seededBytes('web in processes', 5_000_000);

describe('the web server of a peer in processes', { timeout: 240_000 }, () => {
  let stage: ProcessStage;
  let caller: WebCaller;

  before(async () => {
    stage = await ProcessStage.open({ SHOAL_WEB: '127.0.0.1:0' });
    caller = await signedIn();
  });
  after(() => stage[Symbol.asyncDispose]());

  async function shoal<T>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await runCli([...words, '--json'], { home: stage.home });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.toString()) as T;
  }

  async function signedIn(): Promise<WebCaller> {
    const { url } = await shoal<LinkReply>('web');
    const [, port, link = ''] = /^http:\/\/127\.0\.0\.1:(\d+)\/#link=([\w-]+)$/.exec(url) ?? assert.fail(url);
    const browser = new WebCaller(Number(port));
    assert.equal((await browser.signInBy(link)).user?.name, 'demo');
    const again = await new WebCaller(Number(port)).ask('POST', '/api/v1/session/link', { json: { link } });
    assert.equal(again.status, 401, 'a link works once');
    return browser;
  }

  it('passes bytes, conditions, ranges and archives on', async () => {
    const path = '/api/v1/content?path=/file.png';
    const stored = await caller.ask('PUT', path, { bytes: BYTES });
    assert.equal(stored.status, 200, stored.body.toString());
    const tag = String(stored.headers.etag);
    assert.equal((await caller.ask('PUT', path, { bytes: BYTES, headers: { 'if-none-match': '*' } })).status, 412);
    const got = await caller.ask('GET', `${path}&disposition=inline`);
    assert.ok(got.body.equals(BYTES));
    assert.deepEqual([got.headers.etag, got.headers['content-type']], [tag, 'image/png']);
    assert.match(String(got.headers['content-security-policy']), /^sandbox;/);
    const part = await caller.ask('GET', path, { headers: { range: 'bytes=100-199', 'if-range': tag } });
    assert.deepEqual([part.status, part.body.equals(BYTES.subarray(100, 200))], [206, true]);
    assert.equal((await caller.ask('GET', path, { headers: { 'if-none-match': tag } })).status, 304);
    assert.equal((await caller.ask('GET', path, { headers: { range: 'bytes=9999999-' } })).status, 416);
    const head = await caller.ask('HEAD', path);
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '5000000', 0]);
    const archive = await caller.ask('GET', '/api/v1/archive?path=/file.png');
    assert.equal(archive.status, 200, archive.body.toString());
    assert.ok(archive.body.includes(Buffer.from(BYTES)));
  });

  it('says which service is away', async () => {
    await stage.end('file-sender');
    const answer = await caller.ask('PUT', '/api/v1/content?path=/never', { bytes: BYTES });
    assert.equal(answer.status, 503);
    assert.match(answer.body.toString(), /shoal serve file-sender/);
    await stage.start('file-sender');
    assert.equal((await caller.ask('GET', '/api/v1/stat?path=/never')).status, 404);
  });

  it('forgets browsers and links when its process is killed, and not tokens', async () => {
    const { token } = await shoal<TokenReply>('token', 'create', 'test');
    const { url } = await shoal<LinkReply>('web');
    await stage.end('gateway');
    await stage.start('gateway');
    const plain = await shoal<LinkReply>('web');
    assert.equal(plain.expires, null, 'nobody is unlocked');
    const program = new WebCaller(Number(new URL(plain.url).port));
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await program.ask('GET', '/api/v1/entries?path=/', { headers })).status, 423);
    await stage.unlock();
    assert.equal((await program.ask('GET', '/api/v1/entries?path=/', { headers })).status, 200);
    program.cookie = caller.cookie;
    assert.equal((await program.ask('GET', '/api/v1/entries?path=/')).status, 401);
    const [, link] = url.split('#link=');
    assert.equal((await program.ask('POST', '/api/v1/session/link', { json: { link } })).status, 401);
    caller = await signedIn();
  });

  it('does what docs/http-api.md shows', needs('curl'), () => {
    const page = readFileSync(join(REPOSITORY, 'docs', 'http-api.md'), 'utf8');
    const [, programs = ''] = page.split('## For programs');
    const blocks = [...programs.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).slice(0, 2);
    const folder = mkdtempSync(join(tmpdir(), 'shoal-curl-'));
    try {
      writeFileSync(join(folder, 'shoal'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 });
      writeFileSync(join(folder, 'README.md'), 'x'.repeat(1000));
      const script = blocks.join('\n').replaceAll('127.0.0.1:8484', caller.host);
      assert.match(script, /curl/);
      const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, SHOAL_HOME: stage.home },
        timeout: 100_000,
      });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /x{100}/);
      assert.equal(readFileSync(join(folder, 'texts.zip')).readUInt32LE(0), 0x04034b50);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it('a port that is taken is said so at the start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-port-'));
  try {
    const passphrase = join(folder, 'passphrase');
    writeFileSync(passphrase, 'a passphrase for tests');
    const home = join(folder, 'home');
    const words = ['--name', 'n', '--peer-name', 'p', '--user', 'ann', '--passphrase-file', passphrase];
    assert.equal((await runCli(['network', 'create', ...words, '--listen', '127.0.0.1:0'], { home })).code, 0);
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const serve = (web: string): { readonly status: number | null; readonly stderr: string } =>
      spawnSync(process.execPath, [MAIN, 'serve', '--home', home, '--listen', '127.0.0.1:0'], {
        env: { PATH: process.env['PATH'], SHOAL_WEB: web, SHOAL_SFTP: 'off' },
        encoding: 'utf8',
        timeout: 60_000,
      });
    const taken = serve(`127.0.0.1:${String(port)}`);
    assert.equal(taken.status, 11);
    assert.match(taken.stderr, /another peer of this machine, uses the port.*SHOAL_WEB=off/);
    const open = serve('0.0.0.0:0');
    assert.equal(open.status, 2);
    assert.match(open.stderr, /SHOAL_WEB_HOSTS/);
    other.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
