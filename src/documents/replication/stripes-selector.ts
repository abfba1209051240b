import type { PeerId, UserId } from '../../chunk/ids.js';
import type { Selector } from './couch-endpoint.js';

/**
 * What of the database `stripes` concerns a peer: what its users own, and what was placed at it; tombstones say so too. The
 * order is part of a replication's identity, so it does not depend on the caller's.
 */
export function stripesSelector(peer: PeerId, users: readonly UserId[]): Selector {
  const owner = { $in: [...users].sort() };
  return { $or: [{ owner }, { peers: { $elemMatch: { $eq: peer } } }] };
}
