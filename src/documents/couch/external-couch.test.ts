import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { proxyToken } from '../../crypto/proxy-token.js';
import { type ErrorCode, StorageError } from '../../errors.js';
import { httpCall } from '../../http-call.js';
import { ExternalCouch } from './external-couch.js';
import { ADMIN, FakeCouch, type FakeCouchSettings } from './fake-couch.js';

const SECRET = 'of the front';
const { signal } = new AbortController();

describe('a CouchDB by URL', () => {
  let folder: string, credentialsFile: string, secretFile: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-couch-'));
    credentialsFile = join(folder, 'credentials');
    secretFile = join(folder, 'secret');
    await writeFile(credentialsFile, `${ADMIN}\n`, { mode: 0o600 });
    await writeFile(secretFile, `${SECRET}\n`, { mode: 0o600 });
  });
  after(() => rm(folder, { recursive: true }));

  const open = ({ url }: Pick<FakeCouch, 'url'>): ReturnType<typeof ExternalCouch.open> =>
    ExternalCouch.open({ url, credentialsFile, secretFile }, signal);
  const fails = (opening: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> =>
    assert.rejects(opening, (error) => {
      assert.ok(StorageError.is(error, code), String(error));
      assert.match(error.message, message);
      return true;
    });
  const status = async ({ url }: FakeCouch, path: string, headers: Record<string, string>): Promise<number> => {
    const place = { protocol: 'http:', hostname: url.hostname, port: url.port, headers, agent: false as const };
    const reply = await httpCall(place, { method: 'GET', path, idleTimeoutMs: 5_000, signal }, 'the fake');
    await reply.body[Symbol.asyncIterator]().return?.();
    return reply.status;
  };
  const peer = (name: string, roles = 'shoal-peer'): Record<string, string> => ({
    'x-auth-couchdb-username': name,
    'x-auth-couchdb-roles': roles,
    'x-auth-couchdb-token': proxyToken(SECRET, name),
  });

  it('is provided with databases, members and rules, again and again', async () => {
    await using couch = await FakeCouch.open({ secret: SECRET });
    const { databases, secret } = await open(couch);
    assert.equal(secret, SECRET);
    const name = `user-${'a'.repeat(64)}-1`;
    couch.databases.set('_users', { security: {}, documents: new Map() });
    await databases.provide(name, { names: ['peer-1'], roles: [] });
    assert.equal(await status(couch, `/${name}/_changes`, peer('peer-1')), 200);
    assert.equal(await status(couch, `/${name}/_changes`, peer('peer-2')), 403);
    assert.equal(await status(couch, `/${name}/_changes`, {}), 401);
    assert.match(
      String(couch.databases.get(name)?.documents.get('_design/shoal')?.['validate_doc_update']),
      /^function \(newDoc/,
    );
    await databases.provide(name, { names: ['peer-2'], roles: [] });
    assert.equal(await status(couch, `/${name}/_changes`, peer('peer-1')), 403);
    assert.equal(
      couch.databases.get(name)?.documents.get('_design/shoal')?.['_rev'],
      '1-a',
      'the rules are as they were',
    );
    couch.databases
      .get(name)
      ?.documents.set('_design/shoal', { _id: '_design/shoal', _rev: '7-a', validate_doc_update: 'old' });
    await databases.provide(name, { names: [], roles: [] });
    assert.notEqual(couch.databases.get(name)?.documents.get('_design/shoal')?.['validate_doc_update'], 'old');
    assert.deepEqual(await databases.names(), ['network', name]);
    assert.equal(await databases.isFilled(name), false, 'the rules are no document of a peer');
    couch.databases.get(name)?.documents.set('change-1', {});
    assert.equal(await databases.isFilled(name), true);
    await databases.compact(name);
    assert.deepEqual(couch.asked.slice(-4), [
      `POST /${name}/_compact`,
      ...Array.from({ length: 3 }, () => `GET /${name}`),
    ]);
    await databases.drop(name);
    assert.equal(await databases.isFilled(name), false);
    await databases.drop(name);
    assert.deepEqual(await databases.names(), ['network']);
  });

  it('is open to nobody without members, and to members not before the rules are there', async () => {
    await using couch = await FakeCouch.open({ secret: SECRET });
    const { databases } = await open(couch);
    const name = `user-${'a'.repeat(64)}-1`;
    await databases.provide(name, { names: [], roles: [] });
    assert.equal(await status(couch, `/${name}/_changes`, peer('peer-1')), 403);
    assert.equal(await status(couch, `/${name}/_changes`, {}), 401);
    const writes = couch.asked.filter((each) => each.startsWith(`PUT /${name}/`));
    assert.deepEqual(writes, [`PUT /${name}/_design/shoal`, `PUT /${name}/_security`]);
  });

  it('takes the token that CouchDB makes: lower-case hex of HMAC-SHA-256 over the name alone', () => {
    // printf peer-1 | openssl dgst -sha256 -hmac 'of the front'
    assert.equal(proxyToken(SECRET, 'peer-1'), EXPECTED_TOKEN);
  });

  it('is refused when it has a trap', async () => {
    const traps: readonly (readonly [Partial<FakeCouchSettings>, RegExp])[] = [
      [{ secret: undefined }, /wrong token/],
      [{ secret: SECRET, useSecret: false }, /wrong token/],
      [{ secret: 'another' }, /does not take the identity of a peer/],
      [{ secret: SECRET, proxyHandler: false }, /does not take the identity of a peer/],
      [{ secret: SECRET, isAdminParty: true }, /lets strangers read/],
      [{ secret: SECRET, runsValidation: false }, /does not run validate_doc_update/],
      [{ secret: SECRET, version: '2.3.1' }, /older than 3\.0/],
    ];
    for (const [settings, message] of traps) {
      await using couch = await FakeCouch.open(settings);
      await fails(open(couch), 'UNSUPPORTED', message);
      assert.equal(couch.databases.get('network')?.documents.has('shoal-trial') ?? false, false, 'nothing is left');
    }
  });

  it('gives the role of an admin to whoever names it: the front never passes a role on', async () => {
    await using couch = await FakeCouch.open({ secret: SECRET });
    assert.equal(await status(couch, '/_all_dbs', peer('peer-1', '_admin')), 200);
  });

  it('says what is wrong with its files and its address', async () => {
    await using couch = await FakeCouch.open({ secret: SECRET });
    await chmod(credentialsFile, 0o644);
    await fails(open(couch), 'PERMISSION_DENIED', /chmod 600/);
    await chmod(credentialsFile, 0o600);
    await chmod(secretFile, 0o640);
    await fails(open(couch), 'PERMISSION_DENIED', /chmod 600/);
    await chmod(secretFile, 0o600);
    await writeFile(credentialsFile, 'admin:wrong\n');
    await fails(open(couch), 'UNAUTHENTICATED', /not those of an admin/);
    await writeFile(credentialsFile, `${ADMIN}\n`);
    await fails(open({ url: new URL('http://admin:pw@127.0.0.1') }), 'INVALID_ARGUMENT', /credentials lie in a file/);
    await fails(open({ url: new URL('http://127.0.0.1:1') }), 'UNAVAILABLE', /./);
  });
});

const EXPECTED_TOKEN = '4fca29c311080325cc6b50eaa34985495fafef946e9a4ca145b237cc2bb84fcc';
