import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ControlClient } from '../../src/cli/control-client.js';
import { socketPath } from '../../src/socket-path.js';
import type { Claim } from './ledger.js';
import { observe, verify } from './read.js';

const { signal } = new AbortController();
const BYTES = Buffer.from('what is there');
const DIGEST = createHash('sha256').update(BYTES).digest('hex');

describe('a reader of the campaign', () => {
  const server = http.createServer((request, response) => {
    if (request.url?.includes('there') === true) response.end(BYTES);
    else {
      const code = request.url?.includes('gone') === true ? 'NOT_FOUND' : 'UNAVAILABLE';
      response
        .writeHead(500, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code, message: 'so it is' }));
    }
  });
  let home: string;
  const connect = (limit: AbortSignal): ControlClient => new ControlClient(home, { signal: limit });

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'shoal-campaign-read-'));
    server.listen(socketPath(home, 'control'));
    await once(server, 'listening');
  });
  after(async () => {
    server.close();
    await rm(home, { recursive: true, force: true });
  });

  function claim(path: string, digest: string): Claim {
    return { paths: [path], contents: new Set([digest]), mayBeAbsent: false };
  }

  test('tells content, nothing and failures apart', async () => {
    assert.deepEqual(await observe(connect, '/there', signal), { kind: 'content', digest: DIGEST });
    assert.deepEqual(await observe(connect, '/gone', signal), { kind: 'absent' });
    const failed = { kind: 'failed', code: 'UNAVAILABLE', message: 'so it is' };
    assert.deepEqual(await observe(connect, '/broken', signal), failed);
  });

  test('says what differs from the claim', async () => {
    const options = { signal, patienceMs: 0 };
    assert.equal(await verify(connect, claim('/there', DIGEST), options), undefined);
    assert.equal((await verify(connect, claim('/there', '0'), options))?.kind, 'wrong-content');
    assert.equal((await verify(connect, claim('/gone', DIGEST), options))?.kind, 'lost');
    assert.equal((await verify(connect, claim('/broken', DIGEST), options))?.kind, 'unreadable');
  });
});
