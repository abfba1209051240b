import { networkIdOf, openMembership } from '../catalog/records/membership.js';
import { makeCertificateRequest } from '../crypto/certificate-request.js';
import {
  certificateToDer,
  certificateToPem,
  newPeerKeyPair,
  privateKeyFromPem,
  privateKeyToPem,
} from '../crypto/certificates.js';
import { StorageError } from '../errors.js';
import {
  changeSettings,
  type IdentityFiles,
  readIdentityFiles,
  writeAuthorityKey,
  writeIdentity,
  writeKey,
} from '../home.js';
import { CLOCK_SKEW_MS } from '../limits.js';
import { checkAddress } from '../front/address.js';
import type { Logger } from '../log.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { askEnrolment, type EnrolmentCall, type EnrolmentPlace, Refused } from './client.js';
import { fingerprintOf } from './enrolment.js';
import { ANSWERS, PATHS, toBase64 } from './messages.js';
import { demandStopped, type NewPeer, profileOf, wholeOrNothing, withHomeRoll } from './new-peer.js';
import { demandOwnCertificate } from './own-certificate.js';
import type { Token } from './token.js';

export interface JoinRequest {
  readonly home: string;
  readonly token: Token;
  /**
   * What the peer is to be.
   *
   * @param former what it said of itself when it was a member before
   */
  readonly peer: (former: PeerProfile | undefined) => Promise<NewPeer>;
  readonly logger: Logger;
  /** Unix time. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export interface Joined {
  /** Id of the network. */
  readonly network: string;
  readonly name: string;
  readonly peer: PeerProfile;
  /** It has the authority's role from now on. */
  readonly isAuthority: boolean;
}

/** Where the issuer answered, and the authority's certificate (PEM), which is the one of the invitation. */
interface Issuer {
  readonly address: string;
  readonly authority: string;
}

/**
 * Makes a home a peer of the network that the token is of, or one that was a member such again: then it keeps its key, and
 * with that its id. May be done again with the same token when it broke off.
 *
 * @throws StorageError; until the issuer has given a certificate nothing has changed
 */
export async function joinNetwork(request: JoinRequest): Promise<Joined> {
  const { home, token, nowMs } = request;
  const files = await readIdentityFiles(home);
  demandNetwork(files, request);
  if (token.expiresMs <= nowMs()) {
    throw new StorageError(
      'UNAUTHENTICATED',
      `This invitation expired at ${iso(token.expiresMs)}, and by the clock of this machine it is ${iso(nowMs())}. Ask for another one, or set the clock right.`,
    );
  }
  const former = await formerOf(files, request);
  const peer = await request.peer(former);
  const described = profileOf(peer);
  await checkAddress(peer.listen);
  const issuer = await findIssuer(request);
  const key = files.key ?? privateKeyToPem(newPeerKeyPair().privateKey);
  const certified = await certify(request, { issuer, key, isNew: files.key === undefined, name: peer.name });
  const tls = { key, certificate: certificateToPem(certified.certificate), authority: issuer.authority };
  const membership = openMembership(tls);
  await writeIdentity(home, tls);
  if (certified.authorityKey !== undefined) await writeAuthorityKey(home, certified.authorityKey);
  await changeSettings(home, { listen: peer.listen, address: peer.address });
  const profile = { id: membership.peer, ...described, certificate: certified.certificate };
  return await withHomeRoll({ ...request, membership }, async (roll) => {
    await roll.take(certified.records);
    const record = await roll.setPeer(profile);
    const place = { address: issuer.address, trust: { issuer: token.issuer, tls } };
    await ask(place, { path: PATHS.record, body: { record }, answer: ANSWERS.taken, signal: request.signal });
    const terms = await roll.policy();
    const isAuthority = terms?.authorities.includes(membership.peer) === true;
    return { network: membership.network, name: terms?.name ?? '', peer: profile, isAuthority };
  });
}

/** Asks, and throws the peer's refusal. */
async function ask<T>(place: EnrolmentPlace, call: EnrolmentCall<T>): Promise<T> {
  const answer = await askEnrolment(place, call);
  if (answer instanceof Refused) throw answer.error;
  return answer;
}

function demandNetwork({ authority, key }: IdentityFiles, { home, token }: JoinRequest): void {
  if (authority === undefined || networkIdOf(authority) === token.network) return;
  throw new StorageError(
    'CONFLICT',
    key === undefined
      ? `${home} has the certificate of another network. Choose an empty home with --home.`
      : `${home} is the home of a peer of another network (${networkIdOf(authority).slice(0, 12)}…; the invitation is to ${token.network.slice(0, 12)}…). A machine may be in both: choose another home with --home.`,
  );
}

/**
 * What the peer said of itself when it was a member. A certificate that cannot be read is no obstacle: a new one is coming.
 *
 * @throws StorageError CONFLICT when it runs, CORRUPT for a key that cannot be read
 */
async function formerOf(files: IdentityFiles, request: JoinRequest): Promise<PeerProfile | undefined> {
  const { key, certificate, authority } = files;
  if (key === undefined || authority === undefined) return undefined;
  const privateKey = privateKeyFromPem(key);
  await demandStopped(request.home);
  if (certificate === undefined || !isReadable(certificate)) return undefined;
  const membership = openMembership({ key: privateKeyToPem(privateKey), certificate, authority });
  return await withHomeRoll({ ...request, membership }, async (roll) => roll.formerProfile());
}

function isReadable(certificate: string): boolean {
  try {
    return certificateToDer(certificate).length > 0;
  } catch (error) {
    if (StorageError.is(error, 'CORRUPT')) return false;
    throw error;
  }
}

/**
 * The first address of the invitation that answers as its network. Whoever answers there is believed in nothing but this: a
 * certificate with the fingerprint of the invitation is that of the authority, wherever it comes from.
 */
async function findIssuer({ token, nowMs, signal }: JoinRequest): Promise<Issuer> {
  let failure: unknown;
  for (const address of token.addresses) {
    try {
      const place = { address, trust: 'nobody' } as const;
      const { authority, timeMs } = await ask(place, { path: PATHS.network, answer: ANSWERS.network, signal });
      if (!isAuthorityOf(token, authority)) {
        throw new StorageError(
          'UNAUTHENTICATED',
          `Another network answers at ${address} than the one of the invitation: somebody is in between, or the address is another peer’s by now. Nothing was sent. Ask for another invitation.`,
        );
      }
      demandClock(timeMs - nowMs());
      return { address, authority };
    } catch (error) {
      if (!StorageError.is(error, 'UNAVAILABLE', 'TIMEOUT', 'NOT_FOUND')) throw error;
      failure = error;
    }
  }
  const said = failure instanceof StorageError ? failure.message : '';
  throw new StorageError(
    'UNAVAILABLE',
    `The peer that invites does not answer at ${token.addresses.join(', ')}. Is it up, and its port open? ${said}`,
    { cause: failure },
  );
}

function isAuthorityOf({ fingerprint, network }: Token, authority: string): boolean {
  try {
    return fingerprintOf(authority) === fingerprint && networkIdOf(authority) === network;
  } catch (error) {
    if (StorageError.is(error, 'CORRUPT')) return false;
    throw error;
  }
}

function demandClock(aheadMs: number): void {
  if (Math.abs(aheadMs) <= CLOCK_SKEW_MS) return;
  const minutes = String(Math.round(Math.abs(aheadMs) / 60_000));
  throw new StorageError(
    'UNAUTHENTICATED',
    `The clock of this machine is ${minutes} minutes ${aheadMs > 0 ? 'behind' : 'ahead of'} that of the peer that invites. Set it right and try again; the invitation is still good.`,
  );
}

interface Asking {
  readonly issuer: Issuer;
  /** PEM. */
  readonly key: string;
  readonly isNew: boolean;
  readonly name: string;
}

interface Certified {
  readonly certificate: Uint8Array;
  readonly records: readonly { readonly _id: string }[];
  readonly authorityKey?: string | undefined;
}

/** The key is on the disk before it is sent: when the answer is lost, the same key may ask again. */
async function certify(request: JoinRequest, { issuer, key, isNew, name }: Asking): Promise<Certified> {
  const { home, token, nowMs, signal } = request;
  const csr = await makeCertificateRequest(privateKeyFromPem(key), name);
  const body = { secret: toBase64(token.secret), request: toBase64(csr) };
  const place = { address: issuer.address, trust: { issuer: token.issuer, authority: issuer.authority } };
  const answer = await wholeOrNothing(home, async () => {
    if (isNew) await writeKey(home, key);
    return await orLost(askEnrolment(place, { path: PATHS.certificate, body, answer: ANSWERS.certified, signal }));
  });
  if (answer instanceof StorageError) throw answer;
  demandOwnCertificate(answer.certificate, { key, authority: issuer.authority, nowMs: nowMs() });
  return answer;
}

/** @returns the failure of a call that may have been heard all the same; what was refused, or not sent, is thrown */
async function orLost<T>(asked: Promise<T | Refused>): Promise<T | StorageError> {
  const answer = await asked.catch((error: unknown) => {
    if (StorageError.is(error, 'UNAVAILABLE', 'TIMEOUT')) return error;
    throw error;
  });
  if (answer instanceof Refused) throw answer.error;
  return answer;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
