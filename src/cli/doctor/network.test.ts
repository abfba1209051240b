import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sampleSafety } from '../../gateways/http/sample-safety.js';
import { StorageError } from '../../errors.js';
import { judgeClocks } from './clocks.js';
import { checkCouchDb } from './couch.js';
import { checkDaemon } from './daemon.js';
import { checkOthers } from './others.js';
import { checkPort } from './ports.js';
import { samplePeer, sampleStatus, sampleStream } from './sample-status.js';
import { checkSyncing } from './sync.js';

const NOW = 1_600_000;
const signal = new AbortController().signal;

describe('the network', () => {
  it('has a port that is free, ours, somebody else’s or nobody’s', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const setting = { name: 'listen', variable: 'SHOAL_LISTEN', value: `127.0.0.1:${String(port)}` };
    assert.equal((await checkPort(setting, true)).level, 'ok');
    const taken = await checkPort(setting, false);
    assert.equal(taken.level, 'problem');
    assert.match(String(taken.remedy), /SHOAL_LISTEN/);
    server.close();
    await once(server, 'close');
    assert.equal((await checkPort(setting, false)).level, 'ok');
    // TEST-NET-3 of RFC 5737 is nobody's.
    assert.match((await checkPort({ ...setting, value: '203.0.113.1:9' }, false)).found, /no address of this machine/);
  });

  it('has clocks, and says whose is wrong', () => {
    const at = (...offsets: number[]): string[] =>
      judgeClocks(offsets.map((aheadMs, n) => ({ peer: `peer-${String(n)}`, aheadMs }))).map(
        ({ level, found }) => `${level}: ${found}`,
      );
    assert.match(String(at()[0]), /^unknown/);
    assert.match(String(at(100, -900, 400)[0]), /^ok/);
    assert.match(
      String(at(60_000, 61_000, 0)[0]),
      /^warning: The clock of this machine is 1 min 01 s|1 min 00 s behind/,
    );
    assert.match(String(at(-3_600_000, -3_600_000)[0]), /^problem: .* this machine is 1 h 00 min ahead of/);
    assert.deepEqual(at(0, 20_000, 0), ['warning: The clock of peer-1 is 20 s ahead of this machine’s.']);
  });

  it('has a peer that runs here, whole and of this version', () => {
    const levels = (...asked: Parameters<typeof checkDaemon>): string[] =>
      checkDaemon(...asked).map(({ level }) => level);
    assert.deepEqual(levels(sampleStatus(), '1.0.0'), ['ok']);
    assert.deepEqual(levels(sampleStatus(), '1.1.0'), ['warning']);
    const missing = [{ service: 'front', message: 'The front does not answer.' }];
    assert.deepEqual(levels(sampleStatus({ missing }), '1.0.0'), ['problem']);
    const problems = [{ document: 'd', kind: 'refused', reason: 'forged' } as const];
    assert.deepEqual(levels(sampleStatus({ problems }), '1.0.0'), ['warning']);
    const [stopped] = checkDaemon(new StorageError('UNAVAILABLE', 'x'), '1.0.0');
    assert.match(String(stopped?.remedy), /shoal serve/);
    assert.match(String(checkDaemon(new StorageError('INTERNAL', 'bug'), '1')[0]?.found), /bug/);
  });

  it('has other peers, and files that may lose some of them', () => {
    const found = (...asked: Parameters<typeof checkOthers>): string[] =>
      checkOthers(...asked).map(({ level, check }) => `${level} ${check}`);
    assert.deepEqual(found(sampleStatus()), ['ok other peers', 'ok files']);
    const away = [samplePeer('attic'), samplePeer('cellar', false), samplePeer('garage')];
    const safety = sampleSafety({ stripes: 4, degraded: 4, mayFail: 0 });
    assert.deepEqual(found(sampleStatus({ peers: away, safety })), ['warning other peers', 'warning files']);
    const alone = [samplePeer('attic'), samplePeer('cellar', false)];
    const gone = sampleSafety({ stripes: 4, degraded: 4, mayFail: -1 });
    assert.deepEqual(found(sampleStatus({ peers: alone, safety: gone })), ['problem other peers', 'problem files']);
    const lost = { ...gone, lost: 2 };
    assert.deepEqual(found(sampleStatus({ safety: lost })), ['ok other peers', 'problem files']);
    assert.deepEqual(found(sampleStatus({ peers: [samplePeer('attic')], safety: null })), ['warning other peers']);
  });

  it('copies its catalog to backup hosts', () => {
    const levels = (changes: Partial<Parameters<typeof checkSyncing>[0]>): string[] =>
      checkSyncing({ ...sampleStatus().sync, ...changes }, NOW).map(({ level }) => level);
    assert.deepEqual(levels({}), ['ok']);
    assert.deepEqual(levels({ streams: [] }), ['warning']);
    assert.deepEqual(levels({ error: 'PouchDB hosting does not answer.' }), ['problem']);
    const failing = { phase: 'failing', error: 'away' } as const;
    assert.deepEqual(levels({ streams: [sampleStream(failing)] }), ['warning']);
    assert.deepEqual(levels({ streams: [sampleStream({ ...failing, lastSuccessMs: null })] }), ['problem']);
    assert.deepEqual(levels({ streams: [sampleStream({ ...failing, lastSuccessMs: 0 })] }), ['problem']);
    assert.deepEqual(levels({ damaged: [{ name: 'stripes', movedTo: '/x', reason: 'y' }] }), ['warning']);
  });

  it('has a CouchDB that answers its admin', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-doctor-'));
    const admin = `Basic ${Buffer.from('admin:right').toString('base64')}`;
    const server = createHttpServer(({ url, headers }, response) => {
      const roles = headers.authorization === admin ? ['_admin'] : [];
      const reply = url === '/' ? { couchdb: 'Welcome', version: '3.3.3' } : { userCtx: { name: null, roles } };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    const couch = { url, credentialsFile: join(folder, 'credentials'), secretFile: join(folder, 'secret') };
    const level = async (): Promise<string | undefined> => (await checkCouchDb(couch, signal))[0]?.level;
    try {
      assert.deepEqual(await checkCouchDb(undefined, signal), []);
      assert.equal(await level(), 'problem', 'there are no files');
      writeFileSync(couch.secretFile, 's', { mode: 0o600 });
      writeFileSync(couch.credentialsFile, 'admin:right', { mode: 0o600 });
      assert.equal(await level(), 'ok');
      writeFileSync(couch.credentialsFile, 'admin:wrong');
      assert.equal(await level(), 'problem');
    } finally {
      server.close();
      server.closeAllConnections();
    }
    assert.equal(await level(), 'problem', 'it does not answer');
    rmSync(folder, { recursive: true, force: true });
  });
});
