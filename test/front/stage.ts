import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChunkStore } from '../../src/chunk/chunk-store.js';
import type { PeerId } from '../../src/chunk/ids.js';
import { frontAuth } from '../../src/front/front-auth.js';
import { NginxFront } from '../../src/front/nginx-front.js';
import { FRONT_AUTH } from '../../src/front/routes.js';
import { webRoutes } from '../../src/front/web-routes.js';
import { silentLogger } from '../../src/log.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { admissionByHeader } from '../../src/wire/admission.js';
import { couchRoute, type CouchTrust } from '../../src/wire/couch-route.js';
import { PeerServer, type PeerServices } from '../../src/wire/server.js';
import type { TlsIdentity } from '../../src/wire/tls.js';
import { WebServer, type OpenHandler } from '../../src/wire/web-server.js';
import { TestNetwork, type TestPeer } from '../wire/network.js';

export type FrontKind = 'in the process' | 'built in' | 'nginx';

export const SECRET = 'secret of the hosting';
const logger = silentLogger();

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What stands behind `/couchdb/`. */
class FakeCouch {
  readonly seen: Seen[] = [];
  readonly server: Server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('error', () => undefined);
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      this.seen.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      response.writeHead(200, { server: 'CouchDB/3.5.0', 'x-couch-request-id': '1', etag: '"1"' });
      response.end('{"ok":true}');
    });
  });
}

/** What came to the handler of `/enrol/`. */
interface Enrolled {
  readonly url: string;
  readonly body: string;
  readonly certificate: Uint8Array | undefined;
}

/** A front of one kind, and all that stands behind it. */
export class FrontStage implements AsyncDisposable {
  readonly kind: FrontKind;
  readonly folder: string;
  readonly network: TestNetwork;
  readonly host: TestPeer;
  /** Two members, the second with the authority's role. */
  readonly member: TestPeer;
  readonly authority: TestPeer;
  readonly removed = new Set<PeerId>();
  readonly couch = new FakeCouch();
  readonly enrolled: Enrolled[] = [];
  readonly kept: MemoryStore;
  /** Segments that have reached the store behind the front. */
  received = 0;
  port = 0;
  readonly #closing: (() => unknown)[] = [];
  #server: PeerServer | undefined;
  #sender: PeerServer | undefined;
  #child: ChildProcess | undefined;
  #nginx: NginxFront | undefined;

  private constructor(
    kind: FrontKind,
    folder: string,
    network: TestNetwork,
    parts: Pick<FrontStage, 'host' | 'member' | 'authority' | 'kept'>,
  ) {
    this.kind = kind;
    this.folder = folder;
    this.network = network;
    this.host = parts.host;
    this.member = parts.member;
    this.authority = parts.authority;
    this.kept = parts.kept;
  }

  static async open(kind: FrontKind): Promise<FrontStage> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-front-'));
    const network = await TestNetwork.open();
    const [host, member, authority] = [await network.peer(), await network.peer(), await network.peer()];
    const kept = await MemoryStore.open();
    const stage = new FrontStage(kind, folder, network, { host, member, authority, kept });
    try {
      await stage.#open();
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
    return stage;
  }

  async #open(): Promise<void> {
    const couchSocket = join(this.folder, 'couchdb.sock');
    this.couch.server.listen(couchSocket);
    await once(this.couch.server, 'listening');
    this.#closing.push(() => {
      this.couch.server.closeAllConnections();
      this.couch.server.close();
    });
    await this.#writeTls(this.host.tls);
    if (this.kind === 'in the process') {
      await this.#openServer();
      return;
    }
    await this.#openServices();
    this.port = await freePort();
    if (this.kind === 'built in') await this.#startChild();
    else await this.#startNginx();
  }

  readonly #services = (): PeerServices => ({
    tls: this.host.tls,
    isMember: (peer) => !this.removed.has(peer),
    logger,
  });

  readonly #trust: CouchTrust = { secret: SECRET, isAuthority: (peer) => peer === this.authority.id };

  readonly #enrol: OpenHandler = (request, response, { certificate }) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      this.enrolled.push({ url: request.url ?? '', body: Buffer.concat(parts).toString(), certificate });
      response.setHeader('content-type', 'application/json');
      response.end('{"welcome":true}');
    });
  };

  async #openServer(): Promise<void> {
    const target = { socket: join(this.folder, 'couchdb.sock') };
    this.#server = await PeerServer.open({
      address: `127.0.0.1:${String(this.port)}`,
      ...this.#services(),
      receiver: { store: this.#counted() },
      sender: { store: this.kept },
      web: webRoutes({ couchdb: couchRoute({ target, ...this.#trust, logger }), enrolment: this.#enrol }),
    });
    this.port = this.#server.port;
  }

  async #openServices(): Promise<void> {
    const services = this.#services();
    const at = (name: string): string => join(this.folder, `${name}.sock`);
    const receiver = await PeerServer.open({
      ...services,
      socket: at('file-receiver'),
      receiver: { store: this.#counted() },
    });
    const sender = await PeerServer.open({ ...services, socket: at('file-sender'), sender: { store: this.kept } });
    const { isMember } = services;
    const admission = admissionByHeader({ authority: this.host.tls.authority, isMember, nowMs: Date.now });
    const enrolment = new WebServer({ admission, routes: webRoutes({ enrolment: this.#enrol }), logger });
    await enrolment.listen(at('enrolment'));
    const handler = frontAuth(async () => this.#trust, logger);
    const auth = new WebServer({
      admission,
      routes: [{ prefix: '/', methods: ['GET'], identity: 'member', handler }],
      logger,
    });
    await auth.listen(at(FRONT_AUTH));
    this.#sender = sender;
    this.#closing.push(
      () => receiver.close(),
      () => sender.close(),
      () => enrolment.close(),
      () => auth.close(),
    );
  }

  async #startChild(): Promise<void> {
    const program = new URL('../e2e/programs/node-front.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, `127.0.0.1:${String(this.port)}`, this.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    await once(createInterface({ input: child.stdout }), 'line');
  }

  async #startNginx(): Promise<void> {
    const inFolder = (name: string): string => join(this.folder, name);
    this.#nginx = await NginxFront.open({
      address: `127.0.0.1:${String(this.port)}`,
      folder: inFolder('nginx'),
      files: { key: inFolder('peer.key'), certificate: inFolder('peer.crt'), authority: inFolder('network.crt') },
      tls: this.host.tls,
      socketOf: (name) => inFolder(`${name}.sock`),
      couch: { socket: inFolder('couchdb.sock') },
      logger,
    });
  }

  /** The store behind the front, which counts what arrives. */
  #counted(): ChunkStore {
    const put: ChunkStore['put'] = (header, source, options) => {
      const counting: typeof source = (missing) => this.#count(source(missing));
      return this.kept.put(header, counting, options);
    };
    return new Proxy<ChunkStore>(this.kept, {
      get: (inner, property) => {
        if (property === 'put') return put;
        const value: unknown = Reflect.get(inner, property);
        return typeof value === 'function' ? (value.bind(inner) as unknown) : value;
      },
    });
  }

  async *#count<T>(segments: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const segment of segments) {
      yield segment;
      this.received++;
    }
  }

  /** Replaced at once, as a renewal does it. */
  async #writeTls({ key, certificate, authority }: TlsIdentity): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const files = { 'peer.key': key, 'peer.crt': certificate, 'network.crt': authority };
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    }
  }

  /** The front gets a new certificate for the host's key. */
  async renew(tls: TlsIdentity): Promise<void> {
    await this.#writeTls(tls);
    this.#server?.renew(tls);
    await this.#nginx?.renew();
    this.#child?.kill('SIGHUP');
  }

  /** Ends the process, as it were, that runs the File Sender. */
  async stopSender(): Promise<void> {
    await this.#sender?.close();
  }

  /** Kills the front without a word, and has it come back: by its supervisor, or as an operator would. */
  async killFront(): Promise<void> {
    if (this.#child !== undefined) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
      await this.#startChild();
      return;
    }
    assert.ok(this.#nginx, 'a front in the process dies with it');
    const pids = await this.frontPids();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    // Its supervisor brings it back.
    while ((await this.#nginxMaster()) === pids[0]) await delay(10);
  }

  /** The processes of the front, the master of nginx first; none of a front in the process. */
  async frontPids(): Promise<readonly number[]> {
    if (this.#child?.pid !== undefined) return [this.#child.pid];
    if (this.#nginx === undefined) return [];
    const master = await this.#nginxMaster();
    const children = await readFile(`/proc/${String(master)}/task/${String(master)}/children`, 'utf8');
    return [
      master,
      ...children
        .trim()
        .split(' ')
        .filter((word) => word !== '')
        .map(Number),
    ];
  }

  async #nginxMaster(): Promise<number> {
    return Number(await readFile(join(this.folder, 'nginx', 'nginx.pid'), 'utf8'));
  }

  /** CPU time that the front has used, user and system; undefined where it is not a process of its own. */
  async frontCpuSeconds(): Promise<number | undefined> {
    const pids = await this.frontPids();
    if (pids.length === 0) return undefined;
    const ticks = await Promise.all(
      pids.map(async (pid) => {
        const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(fields[11]) + Number(fields[12]);
      }),
    );
    // USER_HZ is 100 on every architecture that Node runs on.
    return ticks.reduce((sum, each) => sum + each, 0) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
    await this.#nginx?.close();
    if (this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await gone;
    }
    for (const close of this.#closing.reverse()) await close();
    await this.kept.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function readTls(folder: string): Promise<TlsIdentity> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  return { key: await read('peer.key'), certificate: await read('peer.crt'), authority: await read('network.crt') };
}

/** Free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createTcpServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
