import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openMembership, type Membership } from './catalog/records/membership.js';
import type { PeerId } from './chunk/ids.js';
import { StorageError, wrapError } from './errors.js';
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
  state: 'state',
} as const;

export interface PeerIdentity {
  readonly id: PeerId;
  readonly tls: TlsIdentity;
  readonly membership: Membership;
}

/** @throws StorageError NOT_FOUND where no peer was made */
export async function readIdentity(home: string): Promise<PeerIdentity> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(home, name), 'utf8');
    } catch (error) {
      const wrapped = wrapError(error, `Reading ${name} of the peer's home ${home}`);
      if (wrapped.code !== 'NOT_FOUND') throw wrapped;
      throw new StorageError(
        'NOT_FOUND',
        `${home} is not a peer's home: it has no ${name}. Choose one with --home or SHOAL_HOME, or make a network with \`shoal devnet up\`.`,
      );
    }
  };
  const tls = {
    key: await read(HOME.key),
    certificate: await read(HOME.certificate),
    authority: await read(HOME.authority),
  };
  const authorityKey = await readIfThere(join(home, HOME.authorityKey));
  const membership = openMembership({ ...tls, ...(authorityKey !== undefined && { authorityKey }) });
  return { id: membership.peer, tls, membership };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const wrapped = wrapError(error, `Reading ${path}`);
    if (wrapped.code === 'NOT_FOUND') return undefined;
    throw wrapped;
  }
}

/** Writes a new peer's identity; only the system user may enter the home or read the key. */
export async function writeIdentity(home: string, tls: TlsIdentity): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeDurably(join(home, HOME.authority), tls.authority);
  await writeDurably(join(home, HOME.certificate), tls.certificate);
  await writeDurably(join(home, HOME.key), tls.key);
}

/** Gives a peer the authority's role. @param key PEM */
export async function writeAuthorityKey(home: string, key: string): Promise<void> {
  await writeDurably(join(home, HOME.authorityKey), key);
}

/** Whole or not at all, mode 0600. */
export async function writeDurably(path: string, text: string): Promise<void> {
  try {
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  } catch (error) {
    throw wrapError(error, `Writing ${path}`);
  }
}
