import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openMembership, type Membership, type MembershipFiles } from './catalog/records/membership.js';
import type { PeerId } from './chunk/ids.js';
import { readIfThere, writeDurably } from './durable-file.js';
import { StorageError } from './errors.js';
import type { NetworkAuthority } from './crypto/certificates.js';
import { privateKeyFromPem } from './crypto/certificates.js';
import { LiveTls } from './wire/live-tls.js';
import type { TlsIdentity } from './wire/tls.js';

/** Where things lie in a peer's home. */
export const HOME = {
  key: 'peer.key',
  certificate: 'peer.crt',
  authority: 'network.crt',
  /** The network authority's private key; only in the homes of peers with that role. */
  authorityKey: 'authority.key',
  chunks: 'chunks',
  documents: 'documents',
  /** The databases of a backup host's embedded CouchDB. */
  couch: 'couchdb',
  /** nginx's own files, where it is the front. */
  nginx: 'nginx',
  state: 'state',
  settings: 'config.json',
  /** Of the SFTP server; `.pub` beside it. */
  sftpKey: 'ssh_host_ed25519_key',
  /** Of files that are written in the middle over SFTP; what lies here has no name for longer than a moment. */
  spool: 'spool',
} as const;

export interface PeerIdentity {
  readonly id: PeerId;
  readonly tls: LiveTls;
  readonly membership: Membership;
}

/** @throws StorageError NOT_FOUND where no peer was made */
export async function readIdentity(home: string): Promise<PeerIdentity> {
  const read = async (name: string): Promise<string> => {
    const text = await readIfThere(join(home, name));
    if (text !== undefined) return text;
    throw new StorageError(
      'NOT_FOUND',
      `${home} is not a peer's home: it has no ${name}. Choose one with --home or SHOAL_HOME, make a network with \`shoal network create\`, or join one with \`shoal peer join\`.`,
    );
  };
  const tls = {
    key: await read(HOME.key),
    certificate: await read(HOME.certificate),
    authority: await read(HOME.authority),
  };
  const authorityKey = await readIfThere(join(home, HOME.authorityKey));
  const membership = openIdentity(home, { ...tls, ...(authorityKey !== undefined && { authorityKey }) });
  return { id: membership.peer, tls: new LiveTls(tls), membership };
}

/** @throws StorageError CORRUPT that says what can be done about it */
function openIdentity(home: string, files: MembershipFiles): Membership {
  try {
    return openMembership(files);
  } catch (error) {
    if (!StorageError.is(error, 'CORRUPT')) throw error;
    throw new StorageError(
      'CORRUPT',
      `The key or a certificate in ${home} cannot be used: ${error.message} A lost certificate comes anew with \`shoal peer join\` and an invitation, as long as ${HOME.key} is there.`,
      { cause: error },
    );
  }
}

/** What of an identity lies in a home; PEM. */
export type IdentityFiles = Partial<TlsIdentity> & { readonly authorityKey?: string };

export async function readIdentityFiles(home: string): Promise<IdentityFiles> {
  const found: Record<string, string> = {};
  for (const name of ['key', 'certificate', 'authority', 'authorityKey'] as const) {
    const text = await readIfThere(join(home, HOME[name]));
    if (text !== undefined) found[name] = text;
  }
  return found;
}

/** undefined in the home of a peer without the authority's role. @throws StorageError CORRUPT */
export async function readAuthority(home: string): Promise<NetworkAuthority | undefined> {
  const { authority: certificate, authorityKey } = await readIdentityFiles(home);
  if (certificate === undefined || authorityKey === undefined) return undefined;
  return { certificate, privateKey: privateKeyFromPem(authorityKey) };
}

/** Writes a new peer's identity; only the system user may enter the home or read the key. */
export async function writeIdentity(home: string, tls: TlsIdentity): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeDurably(join(home, HOME.authority), tls.authority);
  await writeCertificate(home, tls.certificate);
  await writeKey(home, tls.key);
}

/** @param key PEM */
export async function writeKey(home: string, key: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeDurably(join(home, HOME.key), key);
}

/** @param certificate PEM */
export async function writeCertificate(home: string, certificate: string): Promise<void> {
  await writeDurably(join(home, HOME.certificate), certificate);
}

/** Changes some settings in the home's file; undefined takes one out. Running processes see it when they start again. */
export async function changeSettings(home: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const path = join(home, HOME.settings);
  const text = (await readIfThere(path)) ?? '{}';
  let known: unknown;
  try {
    known = JSON.parse(text);
  } catch (error) {
    throw new StorageError('INVALID_ARGUMENT', `${path} is not JSON.`, { cause: error });
  }
  const settings = JSON.stringify({ ...(known as Record<string, unknown>), ...changes }, undefined, 2);
  await writeDurably(path, `${settings}\n`);
}

/** Gives a peer the authority's role. @param key PEM */
export async function writeAuthorityKey(home: string, key: string): Promise<void> {
  await writeDurably(join(home, HOME.authorityKey), key);
}
