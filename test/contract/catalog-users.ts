import { parsePeerId, parseUserId, type PeerId, type StripeId, type UserId } from '../../src/chunk/ids.js';
import type { DocumentDatabase } from '../../src/documents/document-database.js';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import { HeadKeeper, type HeadKeeperOptions } from '../../src/catalog/view/head-keeper.js';
import { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import type { UserDocument } from '../../src/catalog/users/user-document.js';
import { sealFormerKeys } from '../../src/crypto/former-keys.js';
import { DEFAULT_ARGON2_COST } from '../../src/crypto/passphrase.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../../src/crypto/root-key.js';
import { linkTo } from '../../src/crypto/succession.js';
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

/** A user with a document, whose passphrase nobody knows. */
export interface SampleAccount {
  readonly user: UserDocument;
  readonly rootKey: Uint8Array;
}

export function sampleAccount(name = 'ann', rootKey = newRootKey()): SampleAccount {
  const { signing, sharing } = deriveUserKeys(rootKey);
  const owner = parseUserId(userId(signing.publicKey));
  const wrap = { ...DEFAULT_ARGON2_COST, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
  const fields = {
    owner,
    name,
    version: 1,
    generation: 1,
    sharingKey: sharing.publicKey,
    wrap,
    former: [],
    createdMs: 5,
  };
  return { user: { ...fields, publicKey: signing.publicKey, links: [] }, rootKey };
}

/** The same user with new keys, in the next version. */
export function rotatedAccount(
  { user, rootKey }: SampleAccount,
  rotatedBy?: PeerId,
  former: readonly Uint8Array[] = [],
): SampleAccount {
  const next = newRootKey();
  const { signing, sharing } = deriveUserKeys(next);
  const signer = {
    privateKey: deriveUserKeys(rootKey).signing.privateKey,
    publicKey: user.publicKey,
    links: user.links,
  };
  return {
    user: {
      ...user,
      version: user.version + 1,
      generation: user.generation + 1,
      sharingKey: sharing.publicKey,
      links: [...user.links, linkTo(signing.publicKey, signer)],
      former: sealFormerKeys(user.owner, [...former, rootKey], next),
      ...(rotatedBy && { rotatedBy }),
    },
    rootKey: next,
  };
}

export function samplePeer(digit: number): PeerId {
  return parsePeerId(String(digit).repeat(64));
}

/** Of a peer that remembers no catalog. */
export function noHeads(logger: Logger): HeadKeeperOptions {
  const memory = { list: () => [], put: () => Promise.resolve(), forget: () => Promise.resolve() };
  return { memory, logger, problems: new RecordProblems(logger) };
}

/** The user's catalog at a peer, over any database. */
export async function openUserCatalog(
  user: SampleUser,
  database: DocumentDatabase,
  options: {
    readonly peer?: PeerId;
    readonly peerName?: string;
    readonly logger?: Logger;
    readonly now?: () => number;
    /** Of the user; absent: this peer alone. */
    readonly homes?: () => readonly PeerId[];
    /** Absent: of one that sees it for the first time. */
    readonly heads?: HeadKeeperOptions;
  } = {},
): Promise<UserCatalog> {
  const { peer = samplePeer(1), peerName = 'attic', logger = silentLogger() } = options;
  const { now = () => 1_700_000_000_000, homes = () => [peer] } = options;
  const heads = new HeadKeeper(options.heads ?? noHeads(logger));
  const at = { peer, peerName, homes: () => Promise.resolve(homes()), heads };
  const catalog = await UserCatalog.open({ ...at, user: user.id, keys: user.keys(), database, logger, now });
  catalog.settle();
  return catalog;
}

/** Removes for ever what is at a path, as far as homes allow. @returns the stripes that came free */
export async function removeForever(catalog: UserCatalog, path: string): Promise<readonly StripeId[]> {
  await catalog.remove(path, { recursive: true, forever: true });
  const { due } = await catalog.dueRemovals();
  return catalog.carryOutRemovals(due.map(({ node }) => node));
}
