import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { PEER_ROLE, STRIPES_DATABASE, NETWORK_DATABASE, userDatabase } from '../../src/chunk/database-names.js';
import { EmbeddedCouch } from '../../src/documents/couch/embedded-couch.js';
import type { Document, DocumentDatabase, Leaf } from '../../src/documents/document-database.js';
import { COUCHDB, ensureSecret } from '../../src/documents/hosting-secret.js';
import { HttpHost } from '../../src/documents/http-host.js';
import type { IncomingRevision, Revision } from '../../src/documents/pouch.js';
import { MAX_GATHER_MS } from '../../src/documents/replication/pace.js';
import type { StatusReply } from '../../src/gateways/http/api.js';
import { HOME } from '../../src/home.js';
import { type Logger, silentLogger } from '../../src/log.js';
import { serviceAddress } from '../../src/peer/base.js';
import { socketPath } from '../../src/socket-path.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { type Desk, paths, put, read } from '../planet/files.js';
import { PASSPHRASE, Planet } from '../planet/planet.js';
import { until } from '../replication/stage.js';
import { TamperingServer } from './tampering.js';

/** Generation of a forged branch: higher than any that an honest writer has reached. */
const HIGH_GENERATION = 40;

interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/**
 * A network of three peers whose only backup host has fallen: its CouchDB belongs to the attacker, who writes into the
 * databases what no rule would let in. All else of the peers is real. The user is unlocked at peers 1 and 3.
 */
export class Siege implements AsyncDisposable {
  readonly files: ReadonlyMap<string, Uint8Array> = new Map([
    ['/letters/first', seededBytes('first letter', 3000)],
    ['/letters/second', seededBytes('second letter', 4000)],
    ['/film', seededBytes('film', 300_000)],
  ]);
  /** What the peers have logged as a warning or worse, by number of the peer. */
  readonly log = new Map<number, LogLine[]>();
  #planet: Planet | undefined;
  #couch: EmbeddedCouch | undefined;
  #tampering: TamperingServer | undefined;

  static async open(): Promise<Siege> {
    const siege = new Siege();
    try {
      await siege.#lay();
      return siege;
    } catch (error) {
      await siege[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #lay(): Promise<void> {
    this.#planet = await Planet.open({
      peers: 3,
      backupHosts: 1,
      hostCouch: (home) => this.#seize(home),
      logger: (n) => this.#listen(n),
    });
    for (const name of [NETWORK_DATABASE, STRIPES_DATABASE, this.catalogName]) await this.provide(name);
    // One commit each, so that each file is in a change of its own.
    for (const [path, bytes] of this.files) await put(this.planet, path, bytes);
    await this.planet.peer(3).sessions.unlock('demo', PASSPHRASE);
    await until('peer 3 has the files', async () => (await paths(this.desk(3))).length === this.files.size);
    await until('everybody has everything', () => this.#isSettled());
  }

  get planet(): Planet {
    assert.ok(this.#planet !== undefined);
    return this.#planet;
  }

  get couch(): EmbeddedCouch {
    assert.ok(this.#couch !== undefined);
    return this.#couch;
  }

  get catalogName(): string {
    return userDatabase(this.planet.session.user, 1);
  }

  desk(n: number): Desk {
    const { engine, sessions } = this.planet.peer(n);
    return { engine, session: sessions.get('demo') };
  }

  async provide(name: string): Promise<void> {
    await this.couch.provide(name, { names: [], roles: [PEER_ROLE] });
  }

  /** Puts revisions into a database of the attacker, whatever they are. */
  async plant(database: string, ...revisions: readonly IncomingRevision[]): Promise<void> {
    const lease = await this.couch.host.acquire(database);
    try {
      await lease.database.write((pouch) => pouch.bulkDocs([...revisions], { new_edits: false }));
    } finally {
      lease.release();
    }
  }

  /** The document as the attacker's database has it, once it has come; of several revisions the winner. */
  async held(database: string, id: string): Promise<Revision> {
    let found: Revision | undefined;
    await until(`the host has ${id.slice(0, 20)}`, async () => {
      found = await this.#revision(database, id);
      return found !== undefined;
    });
    assert.ok(found !== undefined);
    return found;
  }

  async #revision(database: string, id: string, rev?: string): Promise<Revision | undefined> {
    const options = { revs: true, ...(rev !== undefined && { rev }) };
    const lease = await this.couch.host.acquire(database);
    try {
      return await lease.database.read('Reading', (pouch) => pouch.get(id, options).catch(() => undefined));
    } finally {
      lease.release();
    }
  }

  async heldIds(database: string, prefix: string): Promise<string[]> {
    await using documents = await this.couch.host.open(database);
    return await idsOf(documents, prefix);
  }

  /** The ids of what peer `n` has of a database. */
  async ids(n: number, database: string): Promise<string[]> {
    const host = new HttpHost(serviceAddress(this.planet.home(n), 'pouchdb'));
    try {
      await using documents = await host.open(database);
      return await idsOf(documents, '');
    } finally {
      await host.close();
    }
  }

  /** What `document` says, on the very branch of what peer 1 has under its id. */
  async over(database: string, document: Document, deleted = false): Promise<IncomingRevision> {
    // Peers that gather what comes may not have answered what was planted before: over that it would harm nobody.
    await setTimeout(4 * MAX_GATHER_MS);
    let right: Revision['_revisions'];
    // Asked anew each time: what was written over at once never comes to the host.
    await until(`the host has what peer 1 has of ${document._id.slice(0, 20)}`, async () => {
      const live = (await this.leaves(1, database, document._id)).find((leaf) => !leaf.deleted);
      right = (await this.#revision(database, document._id, live?.rev))?._revisions;
      return right !== undefined;
    });
    assert.ok(right !== undefined);
    return revision(document, { start: right.start + 1, ids: [forgedHash(), ...right.ids] }, deleted);
  }

  /** The documents of peer `n` under one id, right or not. */
  async leaves(n: number, database: string, id: string): Promise<readonly Leaf[]> {
    const host = new HttpHost(serviceAddress(this.planet.home(n), 'pouchdb'));
    try {
      await using documents = await host.open(database);
      return await documents.leaves(id);
    } finally {
      await host.close();
    }
  }

  /** What a user of peer `n` is told. */
  status(n: number): Promise<StatusReply> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: socketPath(this.planet.home(n), 'control'), path: '/v1/status' }, (reply) => {
        const parts: Buffer[] = [];
        reply.on('data', (part: Buffer) => parts.push(part));
        reply.on('error', reject);
        reply.on('end', () => {
          resolve(JSON.parse(Buffer.concat(parts).toString()) as StatusReply);
        });
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** How many documents of a database peer `n` has refused to take from the host. */
  async refused(n: number, database: string): Promise<number> {
    const { sync } = await this.status(n);
    const pull = sync.streams.find((stream) => stream.database === database && stream.direction === 'pull');
    return pull?.refused ?? 0;
  }

  /** Plants revisions of which peers 1 and 3 refuse to take so many, as their status says. */
  async plantRefused(database: string, ...revisions: readonly IncomingRevision[]): Promise<void> {
    const before = [await this.refused(1, database), await this.refused(3, database)];
    await this.plant(database, ...revisions);
    for (const [at, n] of [1, 3].entries()) {
      const expected = (before[at] ?? 0) + revisions.length;
      await until(`peer ${String(n)} refuses`, async () => (await this.refused(n, database)) >= expected);
    }
  }

  /** Plants a revision which peers 1 and 3 take over into their databases. */
  async plantTaken(database: string, planted: IncomingRevision): Promise<void> {
    await this.plant(database, planted);
    for (const n of [1, 3]) {
      await until(`it arrives at peer ${String(n)}`, async () => {
        const revs = (await this.leaves(n, database, planted._id)).map(({ rev }) => rev);
        // A reader may have ended it with a tombstone already.
        return revs.some((rev) => rev === planted._rev || generation(rev) > generation(planted._rev ?? ''));
      });
    }
  }

  /** A document that is so deep that no program of ours would write it: in the text that the host answers with. */
  async plantNested(database: string, id: string, levels: number): Promise<void> {
    assert.ok(this.#tampering !== undefined);
    const deep = '['.repeat(levels) + ']'.repeat(levels);
    this.#tampering.alter = (text) => text.replace('"deepened"', deep);
    await this.plantRefused(database, alone({ _id: id, type: 'change', format: 1, deep: 'deepened' }));
  }

  /** Waits until a file that was put at peer 1 is listed at peer `n`. */
  arrives(n: number, path: string): Promise<void> {
    return until(`${path} arrives`, async () => (await paths(this.desk(n))).includes(path));
  }

  /** The names of what peer `n` keeps. */
  async databases(n: number): Promise<readonly string[]> {
    const host = new HttpHost(serviceAddress(this.planet.home(n), 'pouchdb'));
    try {
      return await host.names();
    } finally {
      await host.close();
    }
  }

  /** At peers 1 and 3 the passphrase works, and every file is listed and read as it was. */
  async assertUnharmed(...numbers: number[]): Promise<void> {
    for (const n of numbers.length > 0 ? numbers : [1, 3]) {
      await this.planet.peer(n).sessions.lock('demo');
      await this.planet.peer(n).sessions.unlock('demo', PASSPHRASE);
      const desk = this.desk(n);
      assert.deepEqual((await paths(desk)).toSorted(), [...this.files.keys()].toSorted(), `files at peer ${String(n)}`);
      for (const [path, bytes] of this.files) assert.ok((await read(desk, path)).equals(bytes), path);
    }
    this.planet.renewSession();
  }

  /**
   * One of these peers names the document among its problems, or in its log. Of what lies beside a right record that is the
   * first to read it, whichever that is: it ends it for all.
   */
  async assertTold(document: string, ...peers: readonly [number, ...number[]]): Promise<void> {
    const isTold = async (n: number): Promise<boolean> =>
      (this.log.get(n) ?? []).some((line) => line['document'] === document) ||
      (await this.status(n)).problems.some((problem) => problem.document === document);
    await until(`peer ${peers.join(' or ')} tells of ${document.slice(0, 24)}`, async () =>
      (await Promise.all(peers.map(isTold))).includes(true),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#planet?.[Symbol.asyncDispose]();
    await this.#tampering?.[Symbol.asyncDispose]();
    await this.#couch?.close();
  }

  /** What the host and the peers have of each database is the same, but for stripes that do not concern a peer. */
  async #isSettled(): Promise<boolean> {
    const all = new Set([1, 2, 3]);
    const concerned = new Map([
      [NETWORK_DATABASE, all],
      [STRIPES_DATABASE, new Set<number>()],
      [this.catalogName, new Set([1, 3])],
    ]);
    for (const [database, copies] of concerned) {
      const held = new Set(await this.heldIds(database, ''));
      for (const n of all) {
        const own = (await this.databases(n)).includes(database) ? await this.ids(n, database) : [];
        if (own.some((id) => !held.has(id)) || (copies.has(n) && own.length < held.size)) return false;
      }
    }
    return true;
  }

  async #seize(home: string): Promise<void> {
    const { socket, secretFile } = serviceAddress(home, 'couchdb');
    const secret = await ensureSecret(secretFile, COUCHDB);
    const directory = join(home, HOME.couch);
    const behind = `${socket}.behind`;
    this.#couch = await EmbeddedCouch.open({ directory, socket: behind, secret, logger: silentLogger() });
    this.#tampering = await TamperingServer.open(socket, behind);
  }

  #listen(n: number): Logger {
    const lines: LogLine[] = [];
    this.log.set(n, lines);
    return pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  }
}

async function idsOf(documents: DocumentDatabase, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of documents.ids(prefix)) ids.push(...page);
  return ids;
}

/** One revision with its ancestors. */
export function revision(
  document: Document,
  revisions: { readonly start: number; readonly ids: readonly string[] },
  deleted = false,
): IncomingRevision {
  const { _id, ...fields } = document;
  const own = Object.entries(fields).filter(([name]) => !name.startsWith('_'));
  const _rev = `${String(revisions.start)}-${revisions.ids[0] ?? ''}`;
  return { ...Object.fromEntries(own), _id, _rev, _revisions: revisions, ...(deleted && { _deleted: true }) };
}

/** A branch of its own that wins wherever CouchDB chooses. */
export function beside(document: Document, deleted = false): IncomingRevision {
  return revision(document, { start: HIGH_GENERATION, ids: ancestors() }, deleted);
}

/** A document that nobody had. */
export function alone(document: Document): IncomingRevision {
  return revision(document, { start: 1, ids: [forgedHash()] });
}

/** Of a revision that nobody has yet. */
function forgedHash(): string {
  return randomBytes(16).toString('hex');
}

function ancestors(): string[] {
  const digits = (at: number): string => at.toString(16).padStart(32, 'e');
  return [forgedHash(), ...Array.from({ length: HIGH_GENERATION - 1 }, (_, at) => digits(at))];
}

function generation(rev: string): number {
  return Number.parseInt(rev, 10) || 0;
}
