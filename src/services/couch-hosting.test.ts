import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { before, test, type TestContext } from 'node:test';
import { sampleUser } from '../../test/contract/catalog-users.js';
import { temporaryFolder } from '../../test/contract/offer.js';
import { SampleNetwork } from '../../test/contract/sample-network.js';
import { peerDocument } from '../../test/contract/sample-records.js';
import { homeRecordId, writeHome } from '../catalog/records/home-record.js';
import type { Membership } from '../catalog/records/membership.js';
import { toRecordDocument } from '../catalog/records/record-kind.js';
import { RecordProblems } from '../catalog/records/record-problems.js';
import { userDocumentId, writeUser } from '../catalog/users/user-document.js';
import { couchUserName, PEER_ROLE, userDatabase } from '../chunk/database-names.js';
import { proxyToken } from '../crypto/proxy-token.js';
import type { Document } from '../documents/document-database.js';
import { httpCall } from '../http-call.js';
import { silentLogger } from '../log.js';
import { RecordMemory } from '../store/record-memory.js';
import { CouchHosting } from './couch-hosting.js';

let backup: Membership;
let member: Membership;

before(async () => {
  const network = await SampleNetwork.open();
  [backup, member] = [await network.member('backup'), await network.member('member')];
});

async function open(context: TestContext): Promise<CouchHosting> {
  const folder = await temporaryFolder(context);
  const memory = await RecordMemory.open(join(folder, 'state'));
  const logger = silentLogger();
  const hosting = await CouchHosting.open({
    hosting: {
      directory: join(folder, 'couchdb'),
      socket: join(folder, 'couchdb.sock'),
      secretFile: join(folder, 'couchdb.secret'),
    },
    records: { membership: backup, memory, problems: new RecordProblems(logger), now: Date.now },
    logger,
  });
  context.after(async () => {
    await hosting.close();
    await memory.close();
  });
  return hosting;
}

/** As the front asks for a peer. */
async function ask(hosting: CouchHosting, by: Membership, path: string, document?: Document): Promise<number> {
  assert.ok('socket' in hosting.target);
  const name = couchUserName(by.peer);
  const headers = {
    'x-auth-couchdb-username': name,
    'x-auth-couchdb-roles': PEER_ROLE,
    'x-auth-couchdb-token': proxyToken(hosting.secret, name),
  };
  const method = document === undefined ? 'GET' : 'PUT';
  const { signal } = new AbortController();
  const body = document === undefined ? {} : { body: JSON.stringify(document) };
  const place = { socketPath: hosting.target.socket, headers, agent: false as const };
  const reply = await httpCall(place, { method, path, idleTimeoutMs: 5_000, signal, ...body }, 'the hosting');
  await reply.body[Symbol.asyncIterator]().return?.();
  return reply.status;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 500) assert.fail(`It never came to this: ${what}`);
    await delay(10);
  }
}

test('a home that a user signed opens the database of that user to that peer, and to no other', async (context) => {
  const hosting = await open(context);
  const [user, mallory] = [sampleUser(), sampleUser()];
  const put = (document: Document): Promise<number> => ask(hosting, member, `/network/${document._id}`, document);
  await until('network is there', async () => (await ask(hosting, member, '/network')) === 200);
  const database = `/${userDatabase(user.id, 1)}`;
  const wrap = { memoryKib: 65536, passes: 3, lanes: 1, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
  const { sharing, signing } = user.keys();
  const versions = { version: 1, generation: 1, former: [] };
  const fields = { owner: user.id, name: 'ann', ...versions, sharingKey: sharing.publicKey, wrap, createdMs: 5 };
  assert.equal(await put(toRecordDocument('user', userDocumentId(user.id), writeUser(fields, signing))), 201);
  const home = { user: user.id, peer: member.peer, gone: false, generation: 1 };
  const claim = { ...home, peer: backup.peer };
  const forged = writeHome(claim, { counter: 1, issuedMs: 1, by: mallory.keys().signing });
  assert.equal(await put(toRecordDocument('home', homeRecordId(claim), forged)), 201);
  assert.equal(await put(peerDocument(member, { counter: 1 })), 201);
  assert.equal(await ask(hosting, member, database), 404);
  const signed = writeHome(home, { counter: 1, issuedMs: 1, by: signing });
  assert.equal(await put(toRecordDocument('home', homeRecordId(home), signed)), 201);
  await until('the database is there', async () => (await ask(hosting, member, database)) === 200);
  assert.equal(await ask(hosting, backup, database), 403, 'a home that somebody else signed is none');
  const next = `/${userDatabase(user.id, 2)}`;
  await until('so is one for a rotation of keys', async () => (await ask(hosting, member, next)) === 200);
});
