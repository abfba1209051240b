import { parsePeerId, parseUserId, type PeerId, type UserId } from '../../src/chunk/ids.js';
import type { DocumentDatabase } from '../../src/documents/document-database.js';
import { UserCatalog } from '../../src/catalog/user-catalog.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../../src/crypto/root-key.js';
import { silentLogger, type Logger } from '../../src/log.js';

/** A user without a passphrase: for what lies below it. */
export interface SampleUser {
  readonly id: UserId;
  readonly rootKey: Uint8Array;
  keys(): UserKeys;
}

export function sampleUser(rootKey = newRootKey()): SampleUser {
  const id = parseUserId(userId(deriveUserKeys(rootKey).signing.publicKey));
  return { id, rootKey, keys: () => deriveUserKeys(rootKey) };
}

export function samplePeer(digit: number): PeerId {
  return parsePeerId(String(digit).repeat(64));
}

/** The user's catalog at a peer, over any database. */
export function openUserCatalog(
  user: SampleUser,
  database: DocumentDatabase,
  options: {
    readonly peer?: PeerId;
    readonly peerName?: string;
    readonly logger?: Logger;
    readonly now?: () => number;
  } = {},
): Promise<UserCatalog> {
  const { peer = samplePeer(1), peerName = 'attic', logger = silentLogger() } = options;
  const { now = () => 1_700_000_000_000 } = options;
  return UserCatalog.open({ user: user.id, keys: user.keys(), database, peer, peerName, logger, now });
}
