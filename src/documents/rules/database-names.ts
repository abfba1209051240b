import { parseUserId, type UserId } from '../../chunk/ids.js';

export const NETWORK_DATABASE = 'network';
export const STRIPES_DATABASE = 'stripes';

const USER_DATABASE = /^user-([0-9a-f]{64})-([1-9][0-9]{0,9})$/;

/** Of one generation of a user's keys. */
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

/** Whether a database of this name is one that peers and backup hosts replicate. */
export function isReplicated(name: string): boolean {
  return name === NETWORK_DATABASE || name === STRIPES_DATABASE || USER_DATABASE.test(name);
}

/** How a peer is called in CouchDB. */
export function peerUserName(peer: string): string {
  return `peer-${peer}`;
}

export const PEER_ROLE = 'shoal-peer';
export const AUTHORITY_ROLE = 'shoal-authority';
