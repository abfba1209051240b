import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { ConnectConfig } from 'ssh2';
import { ControlClient } from '../../src/cli/control-client.js';
import { REPLY, REQUEST } from '../../src/gateways/sftp/protocol.js';
import { MAX_SFTP_CHANNELS, MAX_SFTP_CONNECTIONS } from '../../src/limits.js';
import { needs } from '../needs.js';
import { PASSPHRASE } from '../planet/planet.js';
import { RawClient, text } from './raw-client.js';
import { SftpStage } from './stage.js';

describe('who gets in over SFTP', needs('ssh-keygen'), () => {
  let stage: SftpStage;
  let key: Buffer;
  let client: ControlClient;
  before(async () => {
    stage = await SftpStage.open();
    client = new ControlClient(stage.planet.home(1), { signal: new AbortController().signal });
    key = await readFile(stage.key);
  });
  after(async () => {
    await client.close();
    await stage[Symbol.asyncDispose]();
  });

  async function getsIn(config: ConnectConfig): Promise<boolean> {
    try {
      await using raw = await RawClient.open({ port: stage.port, ...config });
      return (await raw.ask(REQUEST.STAT, text('/'))).type === REPLY.ATTRS;
    } catch {
      return false;
    }
  }

  async function addKey(name: string, ...options: string[]): Promise<Buffer> {
    await stage.good('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', name, ...options]);
    const line = await readFile(`${stage.path(name)}.pub`, 'utf8');
    const added = await client.addSshKey({ name: 'demo', passphrase: PASSPHRASE, key: line, label: '' });
    assert.deepEqual(await client.sshKeys('demo'), added);
    const told = await stage.good('ssh-keygen', ['-l', '-f', name]);
    assert.ok(told.includes(added.at(-1)?.fingerprint ?? '-'), told);
    return readFile(stage.path(name));
  }

  test('the passphrase, which unlocks too, and leaves a session that is open as it is', async () => {
    const { sessions } = stage.planet.peer(1);
    const before = sessions.get('demo');
    assert.equal(await getsIn({ username: 'demo', password: PASSPHRASE }), true);
    assert.equal(sessions.get('demo'), before);
    await sessions.lock('demo');
    assert.equal(await getsIn({ username: 'demo', password: PASSPHRASE }), true);
    stage.planet.renewSession();
  });

  test('nobody else, and what is wrong cannot be told apart', async () => {
    assert.equal(await getsIn({ username: 'demo', password: 'wrong' }), false);
    assert.equal(await getsIn({ username: 'nobody', password: PASSPHRASE }), false);
    assert.equal(await getsIn({ username: 'nobody', privateKey: key }), false);
    assert.equal(await getsIn({ username: 'demo' }), false);
  });

  test('keys of every good kind, until they are removed', async () => {
    for (const [name, ...options] of [
      ['rsa', '-t', 'rsa', '-b', '2048'],
      ['ecdsa', '-t', 'ecdsa', '-b', '256'],
    ] as const) {
      const made = await addKey(name, ...options);
      assert.equal(await getsIn({ username: 'demo', privateKey: made }), true, name);
      await client.removeSshKey({ name: 'demo', passphrase: PASSPHRASE, which: name });
      assert.equal(await getsIn({ username: 'demo', privateKey: made }), false, name);
    }
  });

  test('a key that nobody added, and another that signs for one that is there', async () => {
    await stage.good('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', 'stranger']);
    const stranger = await readFile(stage.path('stranger'));
    assert.equal(await getsIn({ username: 'demo', privateKey: stranger }), false);
    assert.equal(await getsIn({ username: 'demo', privateKey: key }), true);
  });

  test('whoever came by a passphrase comes anew when it is replaced; keys are as good as before', async () => {
    const byPassphrase = await RawClient.open({ port: stage.port, username: 'demo', password: PASSPHRASE });
    await using byKey = await RawClient.open({ port: stage.port, username: 'demo', privateKey: key });
    const gone = once(byPassphrase.connection, 'close');
    await client.changePassphrase({ name: 'demo', old: PASSPHRASE, next: 'another passphrase' });
    await gone;
    assert.equal((await byKey.ask(REQUEST.STAT, text('/'))).type, REPLY.ATTRS);
    assert.equal(await getsIn({ username: 'demo', password: PASSPHRASE }), false);
    await client.changePassphrase({ name: 'demo', old: 'another passphrase', next: PASSPHRASE });
  });

  test('guesses on one connection come to an end, and more of them have to wait', async () => {
    const started = Date.now();
    let guesses = 0;
    const config: ConnectConfig = {
      ...{ port: stage.port, username: 'demo' },
      authHandler: (_left, _partial, next) => {
        guesses++;
        next({ type: 'password', username: 'demo', password: `guess ${String(guesses)}` });
      },
    };
    await assert.rejects(RawClient.connect(config));
    assert.ok(guesses <= 4 && Date.now() - started > 2_000, `${String(guesses)} guesses`);
    for (let round = 0; round < 3; round++) await assert.rejects(RawClient.connect(config));
    // The DB Service has had enough of this name: not even the right one is tried. The key does not need it.
    assert.equal(await getsIn({ username: 'demo', password: PASSPHRASE }), false);
    assert.equal(await getsIn({ username: 'demo', privateKey: key }), true);
  });

  test('no more channels and connections than are allowed', async () => {
    const config = { port: stage.port, username: 'demo', privateKey: key };
    {
      await using raw = await RawClient.open({ host: '127.0.0.1', ...config });
      const results = await Promise.allSettled(
        Array.from(
          { length: MAX_SFTP_CHANNELS + 3 },
          () =>
            new Promise<void>((resolve, reject) => {
              raw.connection.subsys('sftp', (error) => {
                if (error === undefined) resolve();
                else reject(error);
              });
            }),
        ),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, MAX_SFTP_CHANNELS - 1);
    }
    const sockets = Array.from({ length: MAX_SFTP_CONNECTIONS + 5 }, () => connect(stage.port, '127.0.0.1'));
    try {
      const refused = sockets.slice(-4).map((socket) => once(socket.resume(), 'close'));
      await Promise.all(refused);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('the key of the server is its own, and for its owner only', async () => {
    const path = join(stage.planet.home(1), 'ssh_host_ed25519_key');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const before = await readFile(path, 'utf8');
    assert.match(before, /BEGIN OPENSSH PRIVATE KEY/);
    await stage.planet.stop(1);
    await stage.planet.start(1);
    assert.equal(await readFile(path, 'utf8'), before);
  });
});
