/** Who may come into a network, and what somebody tries who may not. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toRecordDocument } from '../../src/catalog/records/record-kind.js';
import { peerRecordId, writePeer } from '../../src/catalog/records/network-records.js';
import { makeCertificateRequest } from '../../src/crypto/certificate-request.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyFromPem,
  privateKeyToPem,
} from '../../src/crypto/certificates.js';
import { readCertificate } from '../../src/crypto/peer-identity.js';
import { askEnrolment, Refused, type Trust } from '../../src/enrolment/client.js';
import { ANSWERS, PATHS, toBase64 } from '../../src/enrolment/messages.js';
import { isDue, renewCertificate, type RenewalOptions } from '../../src/enrolment/renewal.js';
import type { JoinRequest } from '../../src/enrolment/join-network.js';
import { TlsWatch } from '../../src/enrolment/tls-watch.js';
import { encodeToken, parseToken } from '../../src/enrolment/token.js';
import { StorageError } from '../../src/errors.js';
import { HOME, readAuthority, readIdentity, writeCertificate } from '../../src/home.js';
import { MAX_ENROL_BODY_BYTES, MAX_ENROL_REQUESTS_PER_S } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';
import { secureContextOptions } from '../../src/wire/tls.js';
import { NEVER } from '../contract/offer.js';
import { joinRequest, refusal, Stage } from '../enrolment/stage.js';

const DAY_MS = 86_400_000;

describe('joining a network', () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage[Symbol.asyncDispose]());

  /** As a member asks, or as anyone who believes the right server. */
  const ask = async (path: string, body: unknown, trust: Trust = anyone()): Promise<unknown> => {
    const call = { path, body, answer: ANSWERS.taken, signal: NEVER };
    const answer = await askEnrolment({ address: stage.address, trust }, call);
    if (answer instanceof Refused) throw answer.error;
    return answer;
  };
  const anyone = (): Trust => ({ issuer: stage.identity.id, authority: stage.identity.tls.authority });
  const csr = async (key = newPeerKeyPair().privateKey): Promise<string> =>
    toBase64(await makeCertificateRequest(key, 'mallory'));
  const secretOf = (token: string): string => toBase64(parseToken(token).secret);
  const member = async (): Promise<{ home: string; trust: { issuer: typeof stage.identity.id } & Trust }> => {
    const home = stage.newHome();
    await stage.join(await stage.token(), { home });
    const { tls } = await readIdentity(home);
    return { home, trust: { issuer: stage.identity.id, tls } };
  };

  it('gives a certificate for a key that never left, and makes the network know the peer', async () => {
    const home = stage.newHome();
    const { peer, name, isAuthority } = await stage.join(await stage.token(), { home });
    assert.deepEqual([name, isAuthority, peer.name], ['network', false, 'newcomer']);
    const { id, tls } = await readIdentity(home);
    assert.equal(id, peer.id);
    assert.ok((await stage.roll.bootstrap()).some(({ _id }) => _id === peerRecordId(id)));
    const { validTo, subjectAltName } = readCertificate(tls.certificate);
    assert.ok(Math.abs(Date.parse(validTo) - Date.now() - 90 * DAY_MS) < DAY_MS);
    assert.equal(subjectAltName, `DNS:${id.slice(0, 32)}.peer.shoal`);
    assert.deepEqual(JSON.parse(await readFile(join(home, HOME.settings), 'utf8')), {
      listen: '127.0.0.1:0',
      address: '127.0.0.1:9',
    });
  });

  it('refuses a token that was used, is revoked or made up, and leaves the home as it was', async () => {
    const token = await stage.token();
    await stage.join(token);
    const replayed = stage.newHome();
    assert.match(await refusal(stage.join(token, { home: replayed }), 'UNAUTHENTICATED'), /Another peer has joined/);
    assert.equal(existsSync(replayed), false);
    const made = { ...parseToken(token), secret: new Uint8Array(16) };
    assert.match(await refusal(stage.join(encodeToken(made), { home: replayed }), 'UNAUTHENTICATED'), /not known here/);
    assert.equal(existsSync(replayed), false);
    const revoked = await stage.enrolment.invite({ addresses: [stage.address] });
    await stage.enrolment.invitations.revoke(revoked.invitation.id);
    await refusal(stage.join(revoked.token), 'UNAUTHENTICATED');
  });

  it('takes no name, zone or note that looks like another one', async () => {
    const token = await stage.token();
    const home = stage.newHome();
    for (const changes of [{ name: 'san\u202e' }, { name: 'n\u200bas' }, { zone: 'cel\u2066lar' }]) {
      const peer: JoinRequest['peer'] = async (former) => ({ ...(await joinRequest(home).peer(former)), ...changes });
      await refusal(stage.join(token, { home, peer }), 'INVALID_ARGUMENT');
      assert.equal(existsSync(home), false);
    }
    await stage.join(token, { home });
    await refusal(stage.enrolment.invite({ addresses: [], note: 'for \u202eaél' }), 'INVALID_ARGUMENT');
    // Somebody whose program does not look.
    const { trust, home: own } = await member();
    const { membership } = await readIdentity(own);
    const said = { address: 'a:1', zone: '', capacityBytes: 1, backup: false, certificate: membership.certificate };
    const profile = { ...said, id: membership.peer, name: 'first\u200e' };
    const signed = writePeer(profile, membership.network, { counter: 9, issuedMs: 1, sign: membership.signAsPeer });
    const record = toRecordDocument('peer', peerRecordId(membership.peer), signed);
    await refusal(ask(PATHS.record, { record }, trust), 'INVALID_ARGUMENT');
  });

  it('goes on with the same token where it broke off', async () => {
    const token = await stage.token();
    const home = stage.newHome();
    const { peer } = await stage.join(token, { home });
    assert.equal((await stage.join(token, { home })).peer.id, peer.id);
  });

  it('refuses an expired token, whichever of the two clocks finds it so', async () => {
    const token = await stage.token();
    const later = (): number => Date.now() + 2 * DAY_MS;
    assert.match(await refusal(stage.join(token, { nowMs: later }), 'UNAUTHENTICATED'), /expired at/);
    const stretched = encodeToken({ ...parseToken(token), expiresMs: Date.now() + 9 * DAY_MS });
    stage.aheadMs = 2 * DAY_MS;
    try {
      assert.match(await refusal(stage.join(stretched, { nowMs: later }), 'UNAUTHENTICATED'), /expired at/);
      assert.match(
        await refusal(stage.join(stretched), 'UNAUTHENTICATED'),
        /clock of this machine is 2880 minutes behind/,
      );
    } finally {
      stage.aheadMs = 0;
    }
  });

  it('sends nothing to another network that answers at the address', async () => {
    await using other = await Stage.open('network');
    const home = stage.newHome();
    const token = { ...parseToken(await stage.token()), addresses: [other.address] };
    const message = await refusal(stage.join(encodeToken(token), { home }), 'UNAUTHENTICATED');
    assert.match(message, /Another network answers/);
    assert.equal(existsSync(home), false);
    const member = await stage.join(await stage.token());
    assert.ok(member.peer.id !== other.identity.id);
  });

  it('sends nothing to a man in the middle who hands on the right certificate of the authority', async () => {
    const seen: string[] = [];
    const rogue = await createAuthority('network', Date.now());
    const keys = newPeerKeyPair();
    const request = { publicKey: keys.publicKey, name: 'rogue', days: 1, hosts: [], nowMs: Date.now() };
    const cert = certificateToPem(await issueCertificate(rogue, request));
    const between = createServer({ key: privateKeyToPem(keys.privateKey), cert }, (asked, reply) => {
      seen.push(`${asked.method ?? ''} ${asked.url ?? ''}`);
      reply.end(JSON.stringify({ authority: stage.identity.tls.authority, timeMs: Date.now() }));
    });
    between.listen(0, '127.0.0.1');
    await once(between, 'listening');
    try {
      const { port } = between.address() as AddressInfo;
      const token = { ...parseToken(await stage.token()), addresses: [`127.0.0.1:${String(port)}`] };
      await refusal(stage.join(encodeToken(token)), 'UNAUTHENTICATED');
      assert.deepEqual(seen, [`GET ${PATHS.network}`]);
    } finally {
      between.close();
    }
  });

  it('sends nothing to another member of the network that poses as the one who invites', async () => {
    const { home } = await member();
    const { tls } = await readIdentity(home);
    const seen: string[] = [];
    const posing = createServer({ key: tls.key, cert: tls.certificate }, (asked, reply) => {
      seen.push(asked.url ?? '');
      reply.end(JSON.stringify({ authority: tls.authority, timeMs: Date.now() }));
    });
    posing.listen(0, '127.0.0.1');
    await once(posing, 'listening');
    try {
      const { port } = posing.address() as AddressInfo;
      const token = { ...parseToken(await stage.token()), addresses: [`127.0.0.1:${String(port)}`] };
      assert.match(await refusal(stage.join(encodeToken(token)), 'UNAUTHENTICATED'), /answers at the address of peer/);
      assert.deepEqual(seen, [PATHS.network]);
    } finally {
      posing.close();
    }
  });

  it('gives no certificate for somebody else’s key', async () => {
    const { trust } = await member();
    await refusal(ask(PATHS.renewal, { request: await csr() }, trust), 'PERMISSION_DENIED');
    await refusal(ask(PATHS.renewal, { request: await csr() }), 'UNAUTHENTICATED');
    const authority = await readAuthority(join(stage.folder, 'authority'));
    assert.ok(authority !== undefined);
    const body = { secret: secretOf(await stage.token()), request: await csr(authority.privateKey) };
    await refusal(ask(PATHS.certificate, body), 'PERMISSION_DENIED');
  });

  it('takes a record only from the peer that it is of', async () => {
    const { home, trust } = await member();
    const victim = await readIdentity((await member()).home);
    const { id, membership } = await readIdentity(home);
    const described = { address: 'evil.example:1', name: 'x', zone: '', capacityBytes: 1, backup: true };
    const issue = { counter: 99, issuedMs: 0 };
    const signedBy = (who: typeof victim, as = who): Uint8Array =>
      writePeer({ ...described, id: as.id, certificate: as.membership.certificate }, membership.network, {
        ...issue,
        sign: who.membership.signAsPeer,
      });
    const own = await readIdentity(home);
    const records = [
      toRecordDocument('peer', peerRecordId(victim.id), signedBy(victim)),
      toRecordDocument('peer', peerRecordId(id), signedBy(victim)),
      toRecordDocument('peer', peerRecordId(victim.id), signedBy(own, victim)),
      toRecordDocument('peer', peerRecordId(id), signedBy(own, victim)),
      toRecordDocument('network', 'network', signedBy(own)),
    ];
    for (const record of records) {
      await refusal(ask(PATHS.record, { record }, trust), 'PERMISSION_DENIED');
    }
    const record = toRecordDocument('peer', peerRecordId(id), signedBy(own));
    await refusal(ask(PATHS.record, { record }), 'UNAUTHENTICATED');
    await ask(PATHS.record, { record }, trust);
  });

  it('gives a removed peer nothing: no renewal, no record, no certificate by another invitation', async () => {
    const { home, trust } = await member();
    const { id, tls } = await readIdentity(home);
    const token = await stage.token();
    await removePeer(stage, id);
    const request = await csr(privateKeyFromPem(tls.key));
    await refusal(ask(PATHS.renewal, { request }, trust), 'PERMISSION_DENIED');
    assert.match(await refusal(stage.join(token, { home }), 'PERMISSION_DENIED'), /was removed from this network/);
    await stage.join(token);
  });

  it('keeps the id of a peer that joins again after its certificate has expired', async () => {
    const { home } = await member();
    const { id, tls } = await readIdentity(home);
    const authority = await readAuthority(join(stage.folder, 'authority'));
    assert.ok(authority !== undefined);
    const { publicKey } = readCertificate(tls.certificate);
    const request = { publicKey, name: 'newcomer', days: 1, hosts: [], nowMs: Date.now() - 3 * DAY_MS };
    await writeCertificate(home, certificateToPem(await issueCertificate(authority, request)));
    const expired = await readIdentity(home);
    await refusal(
      ask(
        PATHS.renewal,
        { request: await csr(privateKeyFromPem(tls.key)) },
        {
          issuer: stage.identity.id,
          tls: expired.tls,
        },
      ),
      'UNAUTHENTICATED',
    );
    const { peer } = await stage.join(await stage.token(), { home });
    assert.equal(peer.id, id);
    assert.equal(peer.name, 'newcomer');
  });

  it('renews a certificate after two thirds of its life, for the same key, without a restart', async () => {
    const { home } = await member();
    const { id, tls, membership } = await readIdentity(home);
    const before = readCertificate(tls.certificate);
    assert.equal(isDue(tls.certificate, Date.now() + 59 * DAY_MS), false);
    assert.equal(isDue(tls.certificate, Date.now() + 61 * DAY_MS), true);
    let published: Uint8Array | undefined;
    let heard = 0;
    tls.onReplace(() => heard++);
    const publish = async (certificate: Uint8Array): Promise<void> => {
      published = certificate;
    };
    // The first authority that is known does not answer.
    const authorities = [
      { id, address: '127.0.0.1:1' },
      { id: stage.identity.id, address: stage.address },
    ];
    await renewCertificate({ ...renewal(home, tls), authorities: async () => authorities, publish }, NEVER);
    const after = readCertificate(tls.certificate);
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.equal(heard, 1);
    assert.deepEqual(published, Uint8Array.from(after.raw));
    assert.equal((await readIdentity(home)).id, id);
    assert.equal(membership.peer, id);
  });

  it('renews the certificate of the authority’s own peer, also after its end; other processes of it take that over', async () => {
    const home = join(stage.folder, 'authority');
    const authority = await readAuthority(home);
    assert.ok(authority !== undefined);
    const { tls } = await readIdentity(home);
    const request = { publicKey: readCertificate(tls.certificate).publicKey, name: 'first', days: 1, hosts: [] };
    const expired = certificateToPem(await issueCertificate(authority, { ...request, nowMs: Date.now() - 9 * DAY_MS }));
    await writeCertificate(home, expired);
    const here = (await readIdentity(home)).tls;
    const elsewhere = (await readIdentity(home)).tls;
    const watch = new TlsWatch({ home, tls: elsewhere, nowMs: Date.now, logger: silentLogger() });
    try {
      await renewCertificate(
        { ...renewal(home, here), enrolment: stage.enrolment, name: async () => 'x'.repeat(99) },
        NEVER,
      );
      assert.notEqual(here.certificate, expired);
      await watch.look();
      assert.equal(elsewhere.certificate, here.certificate);
      const foreign = await issueCertificate(await createAuthority('other', Date.now()), {
        ...request,
        nowMs: Date.now(),
      });
      await writeCertificate(home, certificateToPem(foreign));
      await watch.look();
      assert.equal(elsewhere.certificate, here.certificate);
    } finally {
      await watch.close();
    }
  });

  it('gives the authority’s role to whom it was offered, and to nobody else', async () => {
    const home = stage.newHome();
    const { isAuthority, peer } = await stage.join(await stage.token(true), { home });
    assert.equal(isAuthority, true);
    assert.ok((await stage.roll.policy())?.authorities.includes(peer.id));
    assert.ok((await readAuthority(home)) !== undefined);
    const plain = stage.newHome();
    await stage.join(await stage.token(), { home: plain });
    assert.equal(await readAuthority(plain), undefined);
  });

  it('does not touch the home of another network, nor one whose peer runs', async () => {
    await using other = await Stage.open('other');
    const { home } = await member();
    const text = await readFile(join(home, HOME.certificate), 'utf8');
    assert.match(await refusal(other.join(await other.token(), { home }), 'CONFLICT'), /of another network/);
    assert.equal(await readFile(join(home, HOME.certificate), 'utf8'), text);
    const running = join(stage.folder, 'authority');
    assert.match(await refusal(stage.join(await stage.token(), { home: running }), 'CONFLICT'), /Stop it first/);
  });

  it('heals a home whose certificate cannot be read', async () => {
    const { home } = await member();
    const { id } = await readIdentity(home);
    await writeFile(join(home, HOME.certificate), 'damaged');
    assert.match(await refusal(readIdentity(home), 'CORRUPT'), /shoal peer join/);
    assert.equal((await stage.join(await stage.token(), { home })).peer.id, id);
  });

  it('says so when nobody answers', async () => {
    const token = { ...parseToken(await stage.token()), addresses: ['127.0.0.1:1', '127.0.0.1:2'] };
    assert.match(await refusal(stage.join(encodeToken(token)), 'UNAVAILABLE'), /127\.0\.0\.1:1, 127\.0\.0\.1:2/);
  });

  it('reads no huge body, no junk and no unknown path', async () => {
    const huge = { request: 'A'.repeat(MAX_ENROL_BODY_BYTES) };
    await refusal(ask(PATHS.certificate, huge), 'LIMIT_EXCEEDED');
    assert.equal(await sendWithoutEnd(stage, 4 * MAX_ENROL_BODY_BYTES), 413);
    for (const body of [{}, [], null, 'x', { secret: 1, request: '' }, { secret: '*', request: '' }]) {
      await refusal(ask(PATHS.certificate, body), 'INVALID_ARGUMENT');
    }
    await refusal(ask('/enrol/network', {}), 'NOT_FOUND');
    await refusal(ask('/enrol/../couchdb', {}), 'NOT_FOUND');
  });

  it('survives a flood of guesses, and lets the invited in all the same', async () => {
    const token = await stage.token();
    const request = await csr();
    const guess = async (): Promise<string> => {
      const secret = toBase64(crypto.getRandomValues(new Uint8Array(16)));
      return ask(PATHS.certificate, { secret, request }).then(
        () => 'in',
        (error: unknown) => (StorageError.is(error) ? error.code : 'broken'),
      );
    };
    const answers = new Map<string, number>();
    stage.frozenMs = performance.now() + 2000;
    try {
      for (let round = 0; round < 3; round++) {
        const codes = await Promise.all(Array.from({ length: MAX_ENROL_REQUESTS_PER_S }, guess));
        for (const code of codes) answers.set(code, (answers.get(code) ?? 0) + 1);
      }
      const most = MAX_ENROL_REQUESTS_PER_S;
      assert.deepEqual(Object.fromEntries(answers), { UNAUTHENTICATED: most, UNAVAILABLE: 2 * most });
      assert.match(await refusal(stage.join(token), 'UNAVAILABLE'), /Try again in a minute/);
      stage.frozenMs += 1000;
      await stage.join(token);
    } finally {
      stage.frozenMs = undefined;
    }
  });
});

/** Of a peer that has the key of no authority, and knows of none. */
function renewal(home: string, tls: RenewalOptions['tls']): RenewalOptions {
  return {
    ...{ home, tls, nowMs: Date.now, logger: silentLogger() },
    enrolment: { isAuthority: false, renewOwn: () => assert.fail('the key is elsewhere') },
    authorities: async () => [],
    publish: async () => undefined,
    name: async () => 'newcomer',
  };
}

async function removePeer(stage: Stage, peer: Parameters<Stage['roll']['isRemoved']>[0]): Promise<void> {
  const { writePeerState, peerStateRecordId } = await import('../../src/catalog/records/network-records.js');
  const authority = await readAuthority(join(stage.folder, 'authority'));
  const { signAsAuthority: sign, network } = stage.identity.membership;
  assert.ok(authority !== undefined && sign !== undefined);
  const signed = writePeerState({ peer, state: 'removed' }, network, { counter: 1, issuedMs: Date.now(), sign });
  await stage.roll.take([toRecordDocument('peer-state', peerStateRecordId(peer), signed)]);
}

/** A body in chunks, without a length. */
async function sendWithoutEnd(stage: Stage, bytes: number): Promise<number | undefined> {
  const [host, port] = stage.address.split(':');
  const { ca, minVersion } = secureContextOptions(stage.identity.tls);
  const request = requestHttps({
    host,
    port,
    path: PATHS.certificate,
    method: 'POST',
    ca,
    minVersion,
    checkServerIdentity: () => undefined,
  });
  request.on('error', () => undefined); // the peer closes the connection while we still write
  for (let sent = 0; sent < bytes; sent += 16_384) request.write(Buffer.alloc(16_384, 0x20));
  const [reply] = (await once(request, 'response')) as [{ statusCode?: number; resume(): void }];
  reply.resume();
  request.destroy();
  return reply.statusCode;
}
