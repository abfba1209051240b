import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StorageError } from '../../errors.js';
import { silentLogger } from '../../log.js';
import type { SessionReply } from '../http/web-api.js';
import type { NewNetworkRequest } from './setup-api.js';
import { SetupServer } from './setup-server.js';

const NETWORK: NewNetworkRequest = {
  ...{ name: 'family', peer: 'attic', listen: '127.0.0.1:8485', address: '127.0.0.1:8485', zone: '' },
  ...{ user: 'alice', passphrase: 'orbit velvet cactus hammer' },
};

describe('SetupServer', () => {
  const asked: unknown[] = [];
  let server: SetupServer;
  let url: string;
  let cookie = '';
  let csrf = '';
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));

  before(async () => {
    const setup = {
      proposal: async () => ({ home: '/h', peer: 'vm', listen: '0.0.0.0:8485', addresses: [], roomBytes: 1 }),
      create: async (request: unknown) => {
        asked.push(request);
        return { network: 'family', fingerprint: 'ab', link: 'next' };
      },
      join: async () => {
        throw new StorageError('UNAUTHENTICATED', 'This invitation expired.');
      },
      finish: () => finish(),
    };
    const options = { address: '127.0.0.1:0', hosts: [], setup, logger: silentLogger(), now: Date.now };
    server = await SetupServer.open(options);
    url = `http://127.0.0.1:${String(server.port)}/api/v1`;
  });

  after(async () => {
    await server.close();
  });

  function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const all = { 'content-type': 'application/json', cookie, 'x-shoal-csrf': csrf, ...headers };
    return fetch(`${url}${path}`, { method: 'POST', headers: all, body: JSON.stringify(body) });
  }

  it('tells strangers that there is something to set up, and nothing more', async () => {
    const session = (await (await fetch(`${url}/session`)).json()) as SessionReply;
    assert.deepEqual([session.setup, session.user, session.csrf], [true, null, null]);
    assert.equal((await fetch(`${url}/setup`)).status, 401);
    assert.equal((await post('/setup/network', NETWORK)).status, 401);
    assert.deepEqual(asked, []);
  });

  it('lets in whoever has the link, once', async () => {
    assert.equal((await post('/session/link', { link: 'x'.repeat(32) })).status, 401);
    const first = await post('/session/link', { link: server.link });
    assert.equal(first.status, 200);
    cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    csrf = ((await first.json()) as SessionReply).csrf ?? '';
    assert.match(cookie, /^shoal-setup=./);
    assert.equal((await post('/session/link', { link: server.link }, { cookie: '' })).status, 401);
    assert.equal((await fetch(`${url}/setup`, { headers: { cookie } })).status, 200);
  });

  it('takes orders from its own pages alone', async () => {
    assert.equal((await post('/setup/network', NETWORK, { 'x-shoal-csrf': 'guess' })).status, 403);
    assert.equal((await post('/setup/network', NETWORK, { origin: 'http://evil.example' })).status, 403);
    assert.equal((await post('/setup/network', NETWORK, { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.deepEqual(asked, []);
  });

  it('refuses what has not the right shape, and says why somebody was not let in', async () => {
    for (const wrong of [{ ...NETWORK, address: 'nas' }, { ...NETWORK, extra: 1 }, { name: 'family' }]) {
      assert.equal((await post('/setup/network', wrong)).status, 400);
    }
    const { peer, listen, address, zone } = NETWORK;
    const refused = await post('/setup/join', { peer, listen, address, zone, token: 'shoal1-x' });
    assert.equal(refused.status, 401);
    assert.equal(((await refused.json()) as { message: string }).message, 'This invitation expired.');
    assert.deepEqual(asked, []);
  });

  it('makes what was decided, and ends when the answer has left', async () => {
    const made = await post('/setup/network', NETWORK);
    assert.deepEqual(await made.json(), { network: 'family', fingerprint: 'ab', link: 'next' });
    assert.deepEqual(asked, [NETWORK]);
    await finished;
  });
});
