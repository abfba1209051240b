import type { Catalog } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import { StorageError } from '../errors.js';
import { PROVISION_PAUSE_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { OwnerGenerations } from '../peers/owner-generations.js';
import { PeerBook } from '../peers/peer-book.js';
import { OnChanges } from '../services/on-changes.js';
import { Authorities } from './authorities.js';

/** What is asked on every call of another peer, and the records of the network that it follows from. */
export interface MembersParts {
  readonly catalog: Pick<Catalog, 'peers' | 'users' | 'network'>;
  readonly book: PeerBook;
  readonly generations: OwnerGenerations;
  readonly authorities: Authorities;
}

/** Nobody is known before `readMembers`. */
export function newMembers(catalog: MembersParts['catalog'], clock: () => number): MembersParts {
  const book = new PeerBook([], clock);
  return { catalog, book, generations: new OwnerGenerations(), authorities: new Authorities() };
}

/** Reads the network's records again. */
export async function readMembers({ catalog, book, generations, authorities }: MembersParts): Promise<void> {
  book.update(await catalog.peers());
  generations.update(await catalog.users());
  authorities.update(await authoritiesOf(catalog));
}

/** None where the policy of the network has not come yet, or is of a newer version: nobody is trusted with it then. */
async function authoritiesOf(catalog: Pick<Catalog, 'network'>): Promise<readonly PeerId[]> {
  try {
    return (await catalog.network()).authorities;
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND', 'UNSUPPORTED')) return [];
    throw error;
  }
}

export interface WatchOptions {
  /** `network`, which says when to look again. */
  readonly network: Pick<DocumentDatabase, 'sequence' | 'changes'>;
  /** After each look: connections of peers that are members no longer end. */
  readonly onRead: () => void;
  readonly logger: Logger;
}

/** Looks as soon as a record comes, so that a peer that was removed is out at once. */
export function watchMembers(parts: MembersParts, { network, onRead, logger }: WatchOptions): OnChanges {
  return new OnChanges({
    database: network,
    work: async () => {
      await readMembers(parts);
      onRead();
    },
    pauseMs: PROVISION_PAUSE_MS,
    doing: 'Learning who is a member',
    logger,
  });
}
