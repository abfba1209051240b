import type { UserId } from '../../chunk/ids.js';
import type { UserDocument } from './user-document.js';

/** A user's document as it is stored, verified. */
export interface KnownUser {
  readonly user: UserDocument;
  readonly signed: Uint8Array;
}

/** The documents of users at this peer. */
export interface UserRecords {
  users(): Promise<readonly KnownUser[]>;
  /**
   * All users of a name, in order of id: nobody keeps members from making a user of a name that is taken. An id names its
   * user too, and no other.
   */
  usersNamed(name: string): Promise<readonly KnownUser[]>;
  user(id: UserId): Promise<KnownUser | undefined>;
  /**
   * Writes the next document of a user. The one before it ends here: no leaf of it stays, and its text is forgotten.
   * Nothing is written when one that counts more, or as much, is known.
   */
  setUser(id: UserId, signed: Uint8Array): Promise<void>;
  /** The signed part of every text of this user's document that can still be read at this peer, old revisions too. */
  userTexts(id: UserId): Promise<readonly Uint8Array[]>;
}

/** What `usersNamed` finds among `users`. */
export function namesakes(users: readonly KnownUser[], name: string): KnownUser[] {
  const meant = users.find(({ user }) => user.owner === name);
  return meant === undefined ? users.filter(({ user }) => user.name === name) : [meant];
}
