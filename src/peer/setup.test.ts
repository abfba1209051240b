import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readConfig } from '../config.js';
import { chooseFreePorts } from '../cli/devnet/ports.js';
import type { NewNetworkRequest } from '../gateways/web/setup-api.js';
import { readIdentity } from '../home.js';
import { silentLogger } from '../log.js';
import { isWithoutPeer, Setup } from './setup.js';

describe('Setup', () => {
  let folder: string;
  let home: string;
  let request: NewNetworkRequest;
  let setup: Setup;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-setup-'));
    home = join(folder, 'home');
    const [port = 0] = await chooseFreePorts(1);
    const address = `127.0.0.1:${String(port)}`;
    const own = { name: 'family', peer: 'attic', listen: address, address, zone: 'home', capacityBytes: 2 ** 30 };
    request = { ...own, user: 'alice', passphrase: 'a passphrase of some words' };
    setup = new Setup({ config: readConfig({ home }, {}), logger: silentLogger(), nowMs: Date.now });
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('proposes what the machine is, and makes nothing yet', async () => {
    const proposal = await setup.proposal();
    assert.equal(proposal.listen, '0.0.0.0:8485');
    assert.equal(proposal.addresses.at(-1), '127.0.0.1:8485');
    assert.ok(proposal.peer.length > 0 && proposal.roomBytes > 0);
    assert.equal(existsSync(home), false);
  });

  it('stays open after what cannot be', async () => {
    await assert.rejects(setup.create({ ...request, address: '0.0.0.0:8485' }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(setup.create({ ...request, name: 'a\u0007b' }), { code: 'INVALID_ARGUMENT' });
    const { signal } = new AbortController();
    const { peer, listen, address, zone } = request;
    const invited = { peer, listen, address, zone, token: 'shoal1-nonsense' };
    await assert.rejects(setup.join(invited, signal), { code: 'INVALID_ARGUMENT' });
    assert.equal(await isWithoutPeer(home), true);
  });

  it('makes one peer, however often it is asked, and ends when its answer has left', async () => {
    const [made, second] = await Promise.allSettled([setup.create(request), setup.create(request)]);
    assert.ok(made.status === 'fulfilled' && second.status === 'rejected');
    assert.equal((second.reason as { code?: unknown }).code, 'CONFLICT');
    assert.equal(made.value.network, 'family');
    assert.match(made.value.fingerprint ?? '', /^[0-9a-f]{64}$/);
    assert.equal(await isWithoutPeer(home), false);
    assert.equal((await readIdentity(home)).membership.signAsAuthority !== undefined, true);
    assert.equal(readConfig({ home }, {}).listen, request.listen);
    setup.finish();
    assert.equal(await setup.finished, made.value.link);
    await assert.rejects(setup.create(request), { code: 'CONFLICT' });
  });
});
