import { NETWORK_DATABASE } from '../../chunk/database-names.js';
import type { IsLatest, LatestIn } from '../../documents/branches.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { userKind } from '../users/user-kind.js';
import { homeKind } from './home-record.js';
import type { Membership } from './membership.js';
import { networkKind, peerKind, peerStateKind } from './network-records.js';
import { compareRecords, type OpenRecord, type RecordKind, signedOf } from './record-kind.js';

type AnyKind = Pick<RecordKind<unknown>, 'ids' | 'open' | 'what'>;

/**
 * Which records of the network are right and later than others, by their signatures alone. What a certificate's dates, or
 * what is remembered of a user, say is left to readers: here it is decided what they get to see. Other databases have
 * documents of which that cannot be said without asking elsewhere.
 */
export function latestRecords(membership: Membership): LatestIn {
  const own = [networkKind(membership), peerStateKind(membership), peerKind(membership)];
  const kinds: readonly AnyKind[] = [...own, userKind, homeKind];
  const isLatest: IsLatest = (document, others) => {
    const kind = kinds.find(({ ids }) => ids.test(document._id));
    const opened = kind && open(kind, document);
    if (kind === undefined || opened === undefined) return false;
    return others.every((other) => {
      const known = open(kind, other);
      return known === undefined || compareRecords(opened, known) < 0;
    });
  };
  return (database) => (database === NETWORK_DATABASE ? isLatest : undefined);
}

/** @returns undefined for what is not right */
function open(kind: AnyKind, document: Document): OpenRecord<unknown> | undefined {
  try {
    const opened = kind.open(signedOf(document, kind.what));
    return opened.id === document._id ? opened : undefined;
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    return undefined;
  }
}
