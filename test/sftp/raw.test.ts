import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ConnectConfig } from 'ssh2';
import { StorageError } from '../../src/errors.js';
import { OPEN, REPLY, REQUEST, STATUS } from '../../src/gateways/sftp/protocol.js';
import { MAX_SFTP_HANDLES, MAX_SFTP_PACKET_BYTES, MAX_SFTP_REQUESTS } from '../../src/limits.js';
import { needs } from '../needs.js';
import { PASSPHRASE } from '../planet/planet.js';
import { NONE, RawClient, text, uint32, uint64 } from './raw-client.js';
import { SftpStage } from './stage.js';

const WRITE_NEW = uint32(OPEN.WRITE | OPEN.CREATE | OPEN.TRUNCATE);
const READ = uint32(OPEN.READ);

describe('SFTP on the wire', needs('ssh-keygen'), () => {
  let stage: SftpStage;
  let config: ConnectConfig;

  before(async () => {
    stage = await SftpStage.open();
    config = { port: stage.port, username: 'demo', privateKey: await readFile(stage.key) };
  });
  after(() => stage[Symbol.asyncDispose]());

  const create = (client: RawClient, path: string | Uint8Array): ReturnType<RawClient['ask']> =>
    client.ask(REQUEST.OPEN, text(path), WRITE_NEW, NONE);

  async function store(client: RawClient, path: string, data: string): Promise<void> {
    const handle = await client.handle(REQUEST.OPEN, text(path), WRITE_NEW, NONE);
    assert.equal((await client.ask(REQUEST.WRITE, handle, uint64(0), text(data))).status, STATUS.OK);
    assert.equal((await client.ask(REQUEST.CLOSE, handle)).status, STATUS.OK);
  }

  async function exists(path: string): Promise<boolean> {
    try {
      await stage.planet.engine.catalog.stat(stage.planet.peer(1).sessions.get('demo'), path);
      return true;
    } catch (error) {
      assert.ok(StorageError.is(error, 'NOT_FOUND'));
      return false;
    }
  }

  test('bad names are refused in words, and leave nothing', async () => {
    await using client = await RawClient.open(config);
    const bad: readonly (readonly [string | Uint8Array, RegExp])[] = [
      ['/a\0b', /control character/],
      ['/a\nb', /control character/],
      ['/a\u0085b', /control character/],
      [`/${'x'.repeat(256)}`, /longer than 255 bytes/],
      [`/${'é'.repeat(128)}`, /longer than 255 bytes/],
      [`/${'x/'.repeat(3000)}`, /too long|longer than/],
      [Buffer.from([0x2f, 0xff, 0xfe]), /UTF-8/],
      [Buffer.from([0x2f, 0xc0, 0xaf]), /UTF-8/],
      [Buffer.from([0x2f, 0xed, 0xa0, 0x80]), /UTF-8/],
      ['/invoice\u202efdp.exe', /reading direction/],
      ['/\u2066x', /reading direction/],
    ];
    for (const [path, message] of bad) {
      for (const reply of [await create(client, path), await client.ask(REQUEST.MKDIR, text(path), NONE)]) {
        assert.deepEqual([reply.type, reply.status], [REPLY.STATUS, STATUS.FAILURE]);
        assert.match(reply.message, message);
      }
    }
    await store(client, '/good', 'x');
    const renamed = await client.ask(REQUEST.RENAME, text('/good'), text('/\u202egood'));
    assert.match(renamed.message, /reading direction/);
    assert.ok(await exists('/good'));
    // Names are resolved as POSIX does, and never above the root.
    await store(client, '/../../etc/../inside', 'x');
    assert.ok(await exists('/inside'));
    // Both ways to write one letter are one name.
    await store(client, '/cafe\u0301', 'x');
    assert.ok(await exists('/caf\u00e9'));
  });

  test('statuses are those that clients know', async () => {
    await using client = await RawClient.open(config);
    await store(client, '/file', 'abc');
    const expect = async (status: number, type: number, ...fields: Buffer[]): Promise<void> => {
      const reply = await client.ask(type, ...fields);
      assert.equal(reply.status, status, `${String(type)}: ${reply.message}`);
    };
    await expect(STATUS.NO_SUCH_FILE, REQUEST.STAT, text('/none'));
    await expect(STATUS.NO_SUCH_FILE, REQUEST.OPEN, text('/none'), READ, NONE);
    await expect(STATUS.NO_SUCH_FILE, REQUEST.OPEN, text('/none/file'), WRITE_NEW, NONE);
    await expect(STATUS.NO_SUCH_FILE, REQUEST.MKDIR, text('/none/folder'), NONE);
    await expect(STATUS.NO_SUCH_FILE, REQUEST.REMOVE, text('/none'));
    await expect(STATUS.NO_SUCH_FILE, REQUEST.RENAME, text('/none'), text('/other'));
    await expect(STATUS.OK, REQUEST.MKDIR, text('/folder'), NONE);
    await expect(STATUS.FAILURE, REQUEST.MKDIR, text('/folder'), NONE);
    await expect(STATUS.FAILURE, REQUEST.REMOVE, text('/folder'));
    await expect(STATUS.FAILURE, REQUEST.RMDIR, text('/file'));
    await expect(STATUS.FAILURE, REQUEST.OPEN, text('/folder'), READ, NONE);
    await expect(STATUS.FAILURE, REQUEST.OPEN, text('/file'), uint32(OPEN.WRITE | OPEN.CREATE | OPEN.EXCLUSIVE), NONE);
    await expect(STATUS.OK, REQUEST.RENAME, text('/file'), text('/folder/file'));
    await expect(STATUS.FAILURE, REQUEST.RMDIR, text('/folder'));
    await store(client, '/file', 'newer');
    await expect(STATUS.FAILURE, REQUEST.RENAME, text('/file'), text('/folder/file'));
    await expect(STATUS.OK, REQUEST.EXTENDED, text('posix-rename@openssh.com'), text('/file'), text('/folder/file'));
    await expect(STATUS.NO_SUCH_FILE, REQUEST.STAT, text('/file'));
    await expect(STATUS.OK, REQUEST.SETSTAT, text('/folder'), uint32(2), uint32(5), uint32(5));
    await expect(STATUS.NO_SUCH_FILE, REQUEST.SETSTAT, text('/none'), uint32(2), uint32(5), uint32(5));
    await expect(8, REQUEST.SYMLINK, text('/a'), text('/b'));
    await expect(8, REQUEST.EXTENDED, text('hardlink@openssh.com'), text('/a'), text('/b'));
    await expect(STATUS.FAILURE, REQUEST.READ, text('nope'), uint64(0), uint32(5));
    const handle = await client.handle(REQUEST.OPEN, text('/folder/file'), READ, NONE);
    await expect(STATUS.PERMISSION_DENIED, REQUEST.WRITE, handle, uint64(0), text('x'));
    await expect(STATUS.EOF, REQUEST.READ, handle, uint64(5), uint32(5));
    await expect(STATUS.FAILURE, REQUEST.READ, handle, uint64(2n ** 60n), uint32(5));
    const read = await client.ask(REQUEST.READ, handle, uint64(2), uint32(2 ** 32 - 1));
    assert.deepEqual([read.type, read.body.subarray(4).toString()], [REPLY.DATA, 'wer']);
    await expect(STATUS.OK, REQUEST.CLOSE, handle);
    await expect(STATUS.FAILURE, REQUEST.CLOSE, handle);
  });

  test('a file replaced by rename keeps its versions', async () => {
    await using client = await RawClient.open(config);
    await store(client, '/edited', 'one');
    for (const version of ['two', 'three']) {
      await store(client, '/edited.tmp', version);
      const renamed = await client.ask(
        REQUEST.EXTENDED,
        text('posix-rename@openssh.com'),
        text('/edited.tmp'),
        text('/edited'),
      );
      assert.equal(renamed.status, STATUS.OK, renamed.message);
    }
    const { engine, session } = stage.planet;
    assert.equal((await engine.catalog.versions(session, '/edited')).length, 3);
    assert.equal(await exists('/edited.tmp'), false);
  });

  test('requests that are sent without waiting are carried out in their order', async () => {
    await using client = await RawClient.open(config);
    const replies = await Promise.all([
      client.ask(REQUEST.MKDIR, text('/order'), NONE),
      client.ask(REQUEST.MKDIR, text('/order/a'), NONE),
      client.ask(REQUEST.OPEN, text('/order/a/f'), WRITE_NEW, NONE),
      client.ask(REQUEST.LSTAT, text('/order/a/f')),
    ]);
    assert.deepEqual(
      replies.map(({ type }) => type),
      [REPLY.STATUS, REPLY.STATUS, REPLY.HANDLE, REPLY.ATTRS],
    );
    const handle = replies[2].body;
    const bytes = randomBytes(3_000_000);
    const writes: Promise<unknown>[] = [];
    for (let at = 0; at < bytes.length; at += 200_000) {
      writes.push(client.ask(REQUEST.WRITE, handle, uint64(at), text(bytes.subarray(at, at + 200_000))));
    }
    // As sshfs does: it closes and renames before it has an answer.
    const [closed, renamed, stat] = await Promise.all([
      client.ask(REQUEST.CLOSE, handle),
      client.ask(REQUEST.RENAME, text('/order/a/f'), text('/order/g')),
      client.ask(REQUEST.STAT, text('/order/g')),
      ...writes,
    ]);
    assert.deepEqual([closed.status, renamed.status, stat.type], [STATUS.OK, STATUS.OK, REPLY.ATTRS]);
    const { engine, session } = stage.planet;
    assert.equal((await engine.catalog.stat(session, '/order/g')).bytes, bytes.length);
  });

  test('10,000 handles: so many as are allowed, and all the others later', async () => {
    await using client = await RawClient.open(config);
    await store(client, '/many', 'x');
    const opened = await Promise.all(
      Array.from({ length: 10_000 }, () => client.ask(REQUEST.OPEN, text('/many'), READ, NONE)),
    );
    const handles = opened.filter(({ type }) => type === REPLY.HANDLE).map(({ body }) => body);
    assert.equal(handles.length, MAX_SFTP_HANDLES);
    assert.match(opened.at(-1)?.message ?? '', /may not open more/);
    const reads = await Promise.all(handles.map((handle) => client.ask(REQUEST.READ, handle, uint64(0), uint32(9))));
    assert.ok(reads.every(({ type }) => type === REPLY.DATA));
    await Promise.all(handles.map((handle) => client.ask(REQUEST.CLOSE, handle)));
    await client.handle(REQUEST.OPEN, text('/many'), READ, NONE);
  });

  test('a client that does not read is not read either, and goes on when it does', async () => {
    await using client = await RawClient.open(config);
    const bytes = randomBytes(250_000);
    const write = await client.handle(REQUEST.OPEN, text('/stalled'), WRITE_NEW, NONE);
    assert.equal((await client.ask(REQUEST.WRITE, write, uint64(0), text(bytes))).status, STATUS.OK);
    assert.equal((await client.ask(REQUEST.CLOSE, write)).status, STATUS.OK);
    const handle = await client.handle(REQUEST.OPEN, text('/stalled'), READ, NONE);
    const before = process.memoryUsage().rss;
    client.channel.pause();
    const replies: Promise<{ readonly body: Buffer }>[] = [];
    // 150 MB of replies.
    for (let count = 0; count < 600; count++) {
      replies.push(client.ask(REQUEST.READ, handle, uint64(0), uint32(bytes.length)));
    }
    const other = await RawClient.open(config);
    for (let count = 0; count < 50; count++) await other.ask(REQUEST.STAT, text('/stalled'));
    await other[Symbol.asyncDispose]();
    const most = (MAX_SFTP_REQUESTS + 200) * bytes.length;
    assert.ok(process.memoryUsage().rss - before < most, 'replies wait at the sender');
    client.channel.resume();
    for (const reply of replies) assert.ok((await reply).body.subarray(4).equals(bytes));
  });

  test('a client that leaves before the close leaves nothing behind', async () => {
    const client = await RawClient.open(config);
    const handle = await client.handle(REQUEST.OPEN, text('/left'), WRITE_NEW, NONE);
    for (let at = 0; at < 3_000_000; at += 250_000) {
      await client.ask(REQUEST.WRITE, handle, uint64(at), text(randomBytes(250_000)));
    }
    // What was closed before counts, also when nobody waits for the answer.
    const closed = await client.handle(REQUEST.OPEN, text('/closed'), WRITE_NEW, NONE);
    await client.ask(REQUEST.WRITE, closed, uint64(0), text('x'));
    client.send(REQUEST.CLOSE, closed);
    client.channel.end();
    await client.ended;
    await client[Symbol.asyncDispose]();
    assert.deepEqual([await exists('/left'), await exists('/closed')], [false, true]);
  });

  test('a user who is locked in the middle: nothing more is read or written, and the connection ends', async () => {
    const { sessions } = stage.planet.peer(1);
    const client = await RawClient.open(config);
    await store(client, '/locked', 'before');
    const reading = await client.handle(REQUEST.OPEN, text('/locked'), READ, NONE);
    const writing = await client.handle(REQUEST.OPEN, text('/locked'), WRITE_NEW, NONE);
    await client.ask(REQUEST.WRITE, writing, uint64(0), text('after'));
    const replies = [client.ask(REQUEST.READ, reading, uint64(0), uint32(9)), client.ask(REQUEST.CLOSE, writing)].map(
      (asked) => asked.then(({ status }) => status).catch(() => 'ended'),
    );
    await sessions.lock('demo');
    await client.ended;
    await Promise.all(replies);
    // Who comes with the key is told, and gets nothing.
    const late = await RawClient.open(config);
    await late.ended;
    assert.match(late.stderr, /"demo" is not unlocked at this peer.*shoal unlock demo/);
    await late[Symbol.asyncDispose]();
    await sessions.unlock('demo', PASSPHRASE);
    stage.planet.renewSession();
    assert.ok(await exists('/locked'));
  });

  test('whatever bytes come, the server stays', async () => {
    const types = fc.constantFrom(...Object.values(REQUEST), 0, 99, 201, 255);
    const field = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => text(bytes)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('/', '/many', '/fuzz', 'statvfs@openssh.com', 'fsync@openssh.com').map((name) => text(name)),
      fc.nat().map(uint32),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(uint64),
    );
    const packet = fc.tuple(types, fc.array(field, { maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 30 }), fc.uint8Array({ maxLength: 60 }), async (packets, rest) => {
        await using client = await RawClient.open(config);
        for (const [type, fields] of packets) client.send(type, ...fields);
        client.channel.write(Buffer.from(rest));
        client.channel.end();
        await client.ended;
      }),
      { numRuns: 8 },
    );
    await using client = await RawClient.open(config);
    client.channel.write(uint32(MAX_SFTP_PACKET_BYTES + 1));
    await client.ended;
    await using after = await RawClient.open(config);
    assert.equal((await after.ask(REQUEST.STAT, text('/'))).type, REPLY.ATTRS);
  });
});
