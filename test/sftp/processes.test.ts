/** SFTP of a peer whose services are processes of their own: bytes come and go by the File Sender and File Receiver. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { OPEN, REPLY, REQUEST, STATUS } from '../../src/gateways/sftp/protocol.js';
import { ProcessStage } from '../processes/stage.js';
import { eventually } from '../sync/sync-network.js';
import { NONE, RawClient, text, uint32, uint64 } from './raw-client.js';

const WRITE_NEW = uint32(OPEN.WRITE | OPEN.CREATE | OPEN.TRUNCATE);
const PASSPHRASE = 'a passphrase for tests';
const PART_BYTES = 200_000;

describe('SFTP beside services in processes of their own', { timeout: 240_000 }, () => {
  let stage: ProcessStage;
  let client: RawClient;

  before(async () => {
    stage = await ProcessStage.open({ SHOAL_SFTP: '127.0.0.1:0' });
    let port = 0;
    await eventually(async () => {
      port = Number(/"port":(\d+)[^\n]*"SFTP is up"/.exec(stage.log('gateway'))?.[1] ?? 0);
      assert.ok(port > 0);
    });
    client = await RawClient.open({ port, username: 'demo', password: PASSPHRASE });
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  async function write(handle: Buffer, bytes: Buffer, offset = 0): Promise<void> {
    const parts: Promise<unknown>[] = [];
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const part = bytes.subarray(at, at + PART_BYTES);
      parts.push(client.ask(REQUEST.WRITE, handle, uint64(offset + at), text(part)));
    }
    await Promise.all(parts);
  }

  async function read(path: string, bytes: number): Promise<Buffer> {
    const handle = await client.handle(REQUEST.OPEN, text(path), uint32(OPEN.READ), NONE);
    const parts: Promise<Buffer>[] = [];
    for (let at = 0; at < bytes; at += PART_BYTES) {
      const asked = client.ask(REQUEST.READ, handle, uint64(at), uint32(PART_BYTES));
      parts.push(asked.then(({ type, body, message }) => (assert.equal(type, REPLY.DATA, message), body.subarray(4))));
    }
    const got = Buffer.concat(await Promise.all(parts));
    await client.ask(REQUEST.CLOSE, handle);
    return got;
  }

  test('files are written, read, edited in the middle and dated', async () => {
    const bytes = randomBytes(4_000_001);
    const handle = await client.handle(REQUEST.OPEN, text('/file'), WRITE_NEW, NONE);
    await write(handle, bytes);
    assert.equal((await client.ask(REQUEST.CLOSE, handle)).status, STATUS.OK);
    assert.ok((await read('/file', bytes.length)).equals(bytes));
    const edited = await client.handle(REQUEST.OPEN, text('/file'), uint32(OPEN.READ | OPEN.WRITE), NONE);
    bytes.write('edited', 2_000_000);
    await write(edited, Buffer.from('edited'), 2_000_000);
    const times = Buffer.concat([uint32(8), uint32(5), uint32(1_234_567)]);
    assert.equal((await client.ask(REQUEST.FSETSTAT, edited, times)).status, STATUS.OK);
    assert.equal((await client.ask(REQUEST.CLOSE, edited)).status, STATUS.OK);
    assert.ok((await stage.read('/file')).equals(bytes));
    assert.equal((await stage.client.stat('/file')).modified, new Date(1_234_567_000).toISOString());
    const renamed = await client.ask(REQUEST.RENAME, text('/file'), text('/renamed'));
    assert.equal(renamed.status, STATUS.OK, renamed.message);
    assert.ok((await read('/renamed', bytes.length)).equals(bytes));
  });

  test('a File Sender that dies is told of by the close, and the file is as it was', async () => {
    const before = Buffer.from('before');
    await stage.put('/kept', before);
    const handle = await client.handle(REQUEST.OPEN, text('/kept'), WRITE_NEW, NONE);
    await write(handle, randomBytes(3_000_000));
    await stage.end('file-sender');
    const closed = await client.ask(REQUEST.CLOSE, handle);
    assert.equal(closed.status, STATUS.FAILURE);
    assert.match(closed.message, /shoal serve file-sender/);
    await stage.start('file-sender');
    assert.ok((await stage.read('/kept')).equals(before));
  });
});
