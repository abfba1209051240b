import { parseUserId, type PeerId, type UserId } from './ids.js';

/** The databases of a network, and how CouchDB calls its peers: what documents, the front and backup hosts agree on. */
export const NETWORK_DATABASE = 'network';
export const STRIPES_DATABASE = 'stripes';

const USER_DATABASE = /^user-([0-9a-f]{64})-([1-9][0-9]{0,9})$/;

/** A user's catalog under one generation of keys. */
export interface UserDatabase {
  readonly user: UserId;
  /** From 1. */
  readonly generation: number;
}

export function userDatabase(user: UserId, generation: number): string {
  return `user-${user}-${String(generation)}`;
}

/** @returns undefined for any other name */
export function parseUserDatabase(name: string): UserDatabase | undefined {
  const [, user, generation] = USER_DATABASE.exec(name) ?? [];
  return user === undefined ? undefined : { user: parseUserId(user), generation: Number(generation) };
}

/** Whether peers and backup hosts replicate a database of this name. */
export function isReplicated(name: string): boolean {
  return name === NETWORK_DATABASE || name === STRIPES_DATABASE || USER_DATABASE.test(name);
}

/** Every member. */
export const PEER_ROLE = 'shoal-peer';
/** The peers of the network authority, beside the other. */
export const AUTHORITY_ROLE = 'shoal-authority';

export function couchUserName(peer: PeerId): string {
  return `peer-${peer}`;
}
