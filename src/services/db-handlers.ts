import { toHex } from '../bytes.js';
import { idBytes, parsePeerId, parseStripeId, parseUserId, parseVersionId } from '../chunk/ids.js';
import type { Catalog, NewVersion } from '../catalog/catalog.js';
import { pages } from '../catalog/pages.js';
import {
  encodeLive,
  encodeLiveExtent,
  encodeLiveVersion,
  liveExtentBytes,
  liveVersionBytes,
  readMoves,
} from '../catalog/wire-extents.js';
import { besideHead, ManifestAssembly, manifestParts, partBytes } from '../catalog/wire-manifest.js';
import {
  decodeMove,
  decodeProfile,
  decodePurpose,
  decodeState,
  decodeStripe,
  encodeEntry,
  encodeKeyRotation,
  encodeHome,
  encodeNetwork,
  encodePassphraseChange,
  encodePeer,
  encodeStripe,
  encodeUser,
  encodeVersion,
  entryBytes,
} from '../catalog/wire-records.js';
import { deletedBytes, duePages, encodeDeleted } from '../catalog/wire-trash.js';
import type { CommitRequest, DbServiceServer } from '../gen/shoal/v1/db.js';
import type { CallObserver } from '../wire/observed-call.js';
import { clientStream, serverStream, unary } from './db-calls.js';

const NO_ID = new Uint8Array(0);
const VERSION_BYTES = 50;
const HOME_BYTES = 72;
const STRIPE_ID_BYTES = 34;

interface Context {
  readonly catalog: Catalog;
  readonly edge: CallObserver;
}

function networkHandlers({ catalog, edge }: Context) {
  return {
    getNetwork: unary(edge, async () => encodeNetwork(await catalog.network())),
    setNetwork: unary(edge, async ({ name, tolerate }) => {
      await catalog.setNetwork(tolerate === undefined ? { name } : { name, tolerate });
      return {};
    }),
    listPeers: serverStream(edge, async function* () {
      for (const peer of await catalog.peers()) yield encodePeer(peer);
    }),
    setPeer: unary(edge, async (peer) => {
      await catalog.setPeer(decodeProfile(peer));
      return {};
    }),
    setPeerState: unary(edge, async ({ peer, state }) => {
      await catalog.setPeerState(parsePeerId(peer), decodeState(state));
      return {};
    }),
    listHomes: serverStream(edge, async function* () {
      for (const homes of pages((await catalog.homes()).map(encodeHome), () => HOME_BYTES)) yield { homes };
    }),
    leaveHome: unary(edge, async ({ session, peer }) => {
      await catalog.leaveHome({ token: session }, parsePeerId(peer));
      return {};
    }),
    listProblems: serverStream(edge, async function* () {
      for (const problem of await catalog.problems()) yield { ...problem };
    }),
  } satisfies Partial<DbServiceServer>;
}

function userHandlers({ catalog, edge }: Context) {
  return {
    listUsers: serverStream(edge, async function* () {
      for (const user of await catalog.users()) yield encodeUser(user);
    }),
    createUser: unary(edge, async ({ name, passphrase }) => encodeUser(await catalog.createUser(name, passphrase))),
    exportUser: unary(edge, async ({ name }) => ({ document: await catalog.exportUser(name) })),
    importUser: unary(edge, async ({ document }) => encodeUser(await catalog.importUser(document))),
    unlock: unary(edge, async ({ name, passphrase }) => {
      const { token, user, ...session } = await catalog.unlock(name, passphrase);
      return { session: token, user: idBytes(user), ...session };
    }),
    lock: unary(edge, async ({ session }) => {
      await catalog.lock({ token: session });
      return {};
    }),
    isUnlocked: unary(edge, async ({ session }) => ({ unlocked: await catalog.isUnlocked({ token: session }) })),
    sign: unary(edge, async ({ session, purpose, body }) => {
      return { signed: await catalog.sign({ token: session }, decodePurpose(purpose), body) };
    }),
    getDirectoryKey: unary(edge, async ({ session, salt, generation }) => {
      const wanted = generation === 0 ? undefined : generation;
      return { key: await catalog.directoryKey({ token: session }, salt, wanted) };
    }),
  } satisfies Partial<DbServiceServer>;
}

function secretHandlers({ catalog, edge }: Context) {
  return {
    changePassphrase: unary(edge, async ({ name, old, next, keep }) => {
      const kept = keep === '' ? undefined : { token: keep };
      return encodePassphraseChange(await catalog.changePassphrase({ name, old, next, keep: kept }));
    }),
    makeKit: unary(edge, async ({ name, passphrase }) => {
      const { words, network, createdMs, ...change } = await catalog.makeKit(name, passphrase);
      return { change: encodePassphraseChange(change), words: [...words], network, createdMs };
    }),
    recoverWithKit: unary(edge, async ({ name, words, next }) => {
      return encodePassphraseChange(await catalog.recoverWithKit(name, words, next));
    }),
    listSshKeys: unary(edge, async ({ name }) => ({ keys: [...(await catalog.sshKeys(name))] })),
    addSshKey: unary(edge, async (key) => ({ keys: [...(await catalog.addSshKey(key))] })),
    removeSshKey: unary(edge, async (key) => ({ keys: [...(await catalog.removeSshKey(key))] })),
    rotateKeys: serverStream(edge, async function* ({ session, passphrase, entriesPerSecond }) {
      const options = entriesPerSecond > 0 ? { entriesPerSecond } : {};
      for await (const rotation of catalog.rotateKeys({ token: session }, passphrase, options)) {
        yield encodeKeyRotation(rotation);
      }
    }),
    getKeyRotation: unary(edge, async ({ session }) => {
      return encodeKeyRotation(await catalog.keyRotation({ token: session }));
    }),
  } satisfies Partial<DbServiceServer>;
}

/** One by one, as they are sent. */
function* encoded<T, U>(items: Iterable<T>, encode: (item: T) => U): Generator<U> {
  for (const item of items) yield encode(item);
}

function readHandlers({ catalog, edge }: Context) {
  return {
    stat: unary(edge, async ({ session, path }) => encodeEntry(await catalog.stat({ token: session }, path))),
    list: serverStream(edge, async function* ({ session, path, recursive }) {
      const entries = await catalog.list({ token: session }, path, { recursive });
      for (const page of pages(encoded(entries, encodeEntry), entryBytes)) yield { entries: page };
    }),
    listVersions: serverStream(edge, async function* ({ session, path }) {
      const versions = await catalog.versions({ token: session }, path);
      for (const page of pages(versions.map(encodeVersion), () => VERSION_BYTES)) yield { versions: page };
    }),
    getManifest: serverStream(edge, async function* ({ session, path, version }) {
      const wanted = version.length === 0 ? undefined : parseVersionId(version);
      const manifest = await catalog.manifest({ token: session }, path, wanted);
      for (const parts of pages(manifestParts([manifest]), partBytes)) yield { parts };
    }),
    getManifests: serverStream(edge, async function* ({ session, paths }) {
      const manifests = await catalog.manifests({ token: session }, paths);
      for (const parts of pages(manifestParts(manifests), partBytes)) yield { parts };
    }),
    getKnownVersions: unary(edge, async ({ session, versions }) => {
      const asked = versions.map(parseVersionId);
      const known = await catalog.knownVersions({ token: session }, asked);
      return { versions: asked.filter((version) => known.has(version)).map(idBytes) };
    }),
    getFileIds: unary(edge, async ({ session, paths }) => {
      const ids = await catalog.fileIds({ token: session }, paths);
      return { ids: ids.map((id) => (id === undefined ? NO_ID : idBytes(id))) };
    }),
  } satisfies Partial<DbServiceServer>;
}

/** Puts a commit together from its messages; the session stands in the first. */
async function readCommit(requests: AsyncIterable<CommitRequest>): Promise<{ token: string; versions: NewVersion[] }> {
  const assembly = new ManifestAssembly<Omit<NewVersion, 'manifest'>>();
  let token = '';
  for await (const { session, parts } of requests) {
    if (session !== '') token = session;
    for (const part of parts) assembly.add(besideHead(part), part);
  }
  return { token, versions: assembly.finish().map(({ name, manifest }) => ({ ...name, manifest })) };
}

function changeHandlers({ catalog, edge }: Context) {
  return {
    commit: clientStream(edge, async (requests) => {
      const { token, versions } = await readCommit(requests);
      await catalog.commit({ token }, versions);
      return {};
    }),
    makeFolder: unary(edge, async ({ session, path }) => {
      await catalog.makeFolder({ token: session }, path);
      return {};
    }),
    move: unary(edge, async ({ session, from, to, replace }) => {
      await catalog.move({ token: session }, from, to, { replace });
      return {};
    }),
    setAttributes: unary(edge, async ({ session, path, modifiedMs, mode }) => {
      const attributes = { ...(modifiedMs !== undefined && { modifiedMs }), ...(mode !== undefined && { mode }) };
      return encodeEntry(await catalog.setAttributes({ token: session }, path, attributes));
    }),
    remove: serverStream(edge, async function* ({ session, path, recursive, forever }) {
      yield await catalog.remove({ token: session }, path, { recursive, forever });
    }),
    listDeleted: serverStream(edge, async function* ({ session }) {
      const entries = (await catalog.deleted({ token: session })).map(encodeDeleted);
      for (const page of pages(entries, deletedBytes)) yield { entries: page };
    }),
    restore: unary(edge, async ({ session, path, version }) => {
      const wanted = version.length === 0 ? undefined : parseVersionId(version);
      return encodeEntry(await catalog.restore({ token: session }, path, wanted));
    }),
    emptyTrash: serverStream(edge, async function* ({ session, untilMs }) {
      yield await catalog.emptyTrash({ token: session }, untilMs);
    }),
    findDueRemovals: serverStream(edge, async function* ({ session }) {
      yield* duePages(await catalog.dueRemovals({ token: session }));
    }),
    carryOutRemovals: serverStream(edge, async function* ({ session, nodes }) {
      const freed = await catalog.carryOutRemovals({ token: session }, nodes.map(toHex));
      for (const page of pages(freed, () => STRIPE_ID_BYTES)) yield { stripes: page.map((id) => idBytes(id)) };
    }),
  } satisfies Partial<DbServiceServer>;
}

function stripeHandlers({ catalog, edge }: Context) {
  return {
    putStripes: unary(edge, async ({ stripes }) => {
      await catalog.putStripes(stripes.map(decodeStripe));
      return {};
    }),
    getStripes: serverStream(edge, async function* ({ ids }) {
      for (const [index, stripe] of (await catalog.stripes(ids.map(parseStripeId))).entries()) {
        if (stripe !== undefined) yield { index, stripe: encodeStripe(stripe) };
      }
    }),
    listStripes: unary(edge, async ({ after, limit }) => {
      const behind = after.length === 0 ? {} : { after: parseStripeId(after) };
      return { ids: (await catalog.stripeIds({ ...behind, limit })).map((id) => idBytes(id)) };
    }),
    moveChunks: unary(edge, async ({ moves }) => {
      await catalog.moveChunks(moves.map(decodeMove));
      return {};
    }),
    findUnreferenced: unary(edge, async ({ session, ids }) => ({
      ids: (await catalog.unreferenced({ token: session }, ids.map(parseStripeId))).map((id) => idBytes(id)),
    })),
    listLiveStripes: unary(edge, async ({ session, after, limit }) => {
      const behind = after.length === 0 ? {} : { after: parseStripeId(after) };
      return {
        stripes: (await catalog.compaction.liveStripes({ token: session }, { ...behind, limit })).map(encodeLive),
      };
    }),
    listLiveExtents: serverStream(edge, async function* ({ session, stripes }) {
      const extents = await catalog.compaction.liveExtents({ token: session }, stripes.map(parseStripeId));
      for (const page of pages(encoded(extents, encodeLiveExtent), liveExtentBytes)) yield { extents: page };
    }),
    listEmptyVersions: serverStream(edge, async function* ({ session }) {
      const versions = await catalog.compaction.emptyVersions({ token: session });
      for (const page of pages(encoded(versions, encodeLiveVersion), liveVersionBytes)) yield { versions: page };
    }),
    moveExtents: clientStream(edge, async (requests) => {
      const { session, moves } = await readMoves(requests);
      return { versions: await catalog.compaction.moveExtents({ token: session }, moves) };
    }),
    giveUpMoved: unary(edge, async ({ session, untilMs }) => {
      return { waiting: await catalog.compaction.giveUpMoved({ token: session }, untilMs) };
    }),
    listHeads: unary(edge, async ({ user }) => {
      const heads = await catalog.heads(parseUserId(user));
      return { heads: heads.map(({ peer, written, come }) => ({ peer: idBytes(peer), written, come })) };
    }),
    acceptLoss: unary(edge, async ({ session }) => {
      await catalog.acceptLoss({ token: session });
      return {};
    }),
    forgetStripes: unary(edge, async ({ session, ids }) => {
      await catalog.forgetStripes({ token: session }, ids.map(parseStripeId));
      return {};
    }),
  } satisfies Partial<DbServiceServer>;
}

/** What each method of db.proto does: the Catalog's method of that name, between two encodings. */
export function dbHandlers(context: Context): DbServiceServer {
  return {
    ...networkHandlers(context),
    ...userHandlers(context),
    ...secretHandlers(context),
    ...readHandlers(context),
    ...changeHandlers(context),
    ...stripeHandlers(context),
  };
}
