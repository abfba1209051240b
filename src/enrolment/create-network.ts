import { join } from 'node:path';
import { LocalCatalog } from '../catalog/local-catalog.js';
import { openMembership, type Membership } from '../catalog/records/membership.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
  type NetworkAuthority,
} from '../crypto/certificates.js';
import { StorageError } from '../errors.js';
import { changeSettings, HOME, writeAuthorityKey, writeIdentity } from '../home.js';
import { CERTIFICATE_DAYS } from '../limits.js';
import { checkAddress } from '../front/address.js';
import type { Logger } from '../log.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { fingerprintOf } from './enrolment.js';
import { demandName } from './peer-name.js';
import { entriesOf, type NewPeer, profileOf, wholeOrNothing, withHomeRoll } from './new-peer.js';

export interface NewNetwork {
  readonly home: string;
  readonly name: string;
  /** Peers that may be lost; absent: as many as the number of peers makes sensible. */
  readonly tolerate?: number | undefined;
  readonly peer: NewPeer;
  readonly user?: { readonly name: string; readonly passphrase: string } | undefined;
  readonly logger: Logger;
  /** Unix time. */
  readonly nowMs: () => number;
}

export interface CreatedNetwork {
  /** Id of the network. */
  readonly id: string;
  /** Of the authority's certificate. */
  readonly fingerprint: string;
  readonly peer: PeerProfile;
}

/**
 * Makes a network in an empty home: its authority, and its first peer, which has the authority's key.
 *
 * @throws StorageError ALREADY_EXISTS, UNAVAILABLE when the port is taken; then nothing has changed
 */
export async function createNetwork(request: NewNetwork): Promise<CreatedNetwork> {
  const { home, name, peer, nowMs, tolerate } = request;
  demandName(name);
  await demandEmptyHome(home);
  await checkAddress(peer.listen);
  const authority = await createAuthority(name, nowMs());
  const identity = await newIdentity(authority, { name: peer.name, nowMs: nowMs(), isAuthority: true });
  return await wholeOrNothing(home, async () => {
    const { membership, files } = identity;
    const profile = { id: membership.peer, ...profileOf(peer), certificate: membership.certificate };
    await withHomeRoll({ ...request, membership }, async (roll) => {
      await roll.setTerms({ name, authorities: [profile.id], ...(tolerate === undefined ? {} : { tolerate }) });
      await roll.setPeer(profile);
    });
    if (request.user !== undefined) await addUser(request, membership, request.user);
    await changeSettings(home, { listen: peer.listen, address: peer.address });
    await writeAuthorityKey(home, privateKeyToPem(authority.privateKey));
    await writeIdentity(home, files);
    return { id: membership.network, fingerprint: fingerprintOf(authority.certificate), peer: profile };
  });
}

export interface NewIdentity {
  readonly files: { readonly key: string; readonly certificate: string; readonly authority: string };
  readonly membership: Membership;
}

export interface IdentityTerms {
  readonly name: string;
  readonly nowMs: number;
  /** Of the certificate; default CERTIFICATE_DAYS. */
  readonly days?: number;
  /** The peer is to have the authority's role. */
  readonly isAuthority: boolean;
}

/** A key pair, and a certificate for it, where the authority's key is at hand; nothing is written. */
export async function newIdentity(authority: NetworkAuthority, terms: IdentityTerms): Promise<NewIdentity> {
  const { name, nowMs, days = CERTIFICATE_DAYS, isAuthority } = terms;
  const { publicKey, privateKey } = newPeerKeyPair();
  const files = {
    key: privateKeyToPem(privateKey),
    certificate: certificateToPem(await issueCertificate(authority, { publicKey, name, days, hosts: [], nowMs })),
    authority: authority.certificate,
  };
  const role = isAuthority ? { authorityKey: privateKeyToPem(authority.privateKey) } : {};
  return { files, membership: openMembership({ ...files, ...role }) };
}

/** @throws StorageError ALREADY_EXISTS */
export async function demandEmptyHome(home: string): Promise<void> {
  const there = new Set((await entriesOf(home)) ?? []);
  if (there.has(HOME.key)) {
    throw new StorageError(
      'ALREADY_EXISTS',
      `${home} is the home of a peer already. Choose another one with --home, or see what it is with \`shoal network status\`.`,
    );
  }
  const left = [HOME.documents, HOME.state, HOME.chunks, HOME.authority].find((name) => there.has(name));
  if (left === undefined) return;
  throw new StorageError(
    'ALREADY_EXISTS',
    `${join(home, left)} is left of another peer. Choose an empty home with --home.`,
  );
}

async function addUser(
  { home, logger, nowMs }: NewNetwork,
  membership: Membership,
  { name, passphrase }: { readonly name: string; readonly passphrase: string },
): Promise<void> {
  await using catalog = await LocalCatalog.open({
    directory: join(home, HOME.documents),
    state: join(home, HOME.state),
    membership,
    logger,
    now: nowMs,
  });
  await catalog.createUser(name, passphrase);
}
