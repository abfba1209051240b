/** For tests: the control API over a Map, on a real unix socket, with the faults that a test asks for. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleSafety } from '../gateways/http/sample-safety.js';
import { StorageError, wrapError, ERRORS } from '../errors.js';
import type {
  EntryReply,
  ExportRequest,
  ImportItem,
  PutReply,
  RemoveReply,
  StatusReply,
} from '../gateways/http/api.js';
import { socketPath } from '../socket-path.js';
import { splitLines } from '../gateways/http/ndjson.js';
import { ANSWERED_LINES, ANSWERS } from './fake-answers.js';
import { recoveryEvents } from './fake-recovery.js';
import { SCRUB_EVENTS, SCRUB_REPLY } from './fake-scrub.js';
import { demandPassphrase, FakeUsers } from './fake-users.js';

export interface FakeFile {
  readonly bytes: Buffer;
  readonly modifiedMs: number;
  readonly mode: number;
  readonly version: string;
}

export interface FakeFaults {
  /** It lives in another container: reads no local file and writes none. */
  blind?: boolean;
  /** These remote paths fail with CORRUPT. */
  corrupt?: readonly string[];
  /** Entries that a list shows as well, as a hostile catalog could. */
  hostile?: readonly EntryReply[];
  /** Exports and downloads send their first part and then nothing more. */
  stall?: boolean;
  /** The user `demo` is locked until it is unlocked. */
  locked?: boolean;
  /** The user `demo` has a recovery kit. */
  kit?: boolean;
  /** Downloads break off after their first part, and what is told before it is done. */
  cut?: boolean;
  /** What is told ends before it is done. */
  short?: boolean;
}

const MODIFIED = 1_700_000_000_000;

export class FakePeer implements AsyncDisposable {
  readonly home: string;
  readonly files = new Map<string, FakeFile>();
  readonly folders = new Set<string>(['/']);
  readonly faults: FakeFaults;
  readonly users: FakeUsers;
  /** "PUT /v1/content" and so on, in the order they came. */
  readonly calls: string[] = [];
  /** Bodies of requests that ask for something. */
  readonly asked: unknown[] = [];
  readonly #server: Server;

  private constructor(faults: FakeFaults, home: string) {
    this.home = home;
    this.faults = faults;
    this.users = new FakeUsers(faults);
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        fail(response, error);
      });
    });
  }

  /** @param home removed in the end */
  static async open(faults: FakeFaults = {}, home = mkdtempSync(join(tmpdir(), 'shoal-fake-'))): Promise<FakePeer> {
    const peer = new FakePeer(faults, home);
    rmSync(socketPath(home, 'control'), { force: true }); // left by one that was killed
    peer.#server.listen(socketPath(home, 'control'));
    await once(peer.#server, 'listening');
    return peer;
  }

  add(path: string, content: string | Buffer, mode = 0o640): FakeFile {
    const bytes = Buffer.from(content);
    const version = createHash('md5').update(path).update(bytes).digest('hex');
    const file = { bytes, modifiedMs: MODIFIED, mode, version };
    this.files.set(path, file);
    for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder)) this.folders.add(folder);
    return file;
  }

  text(path: string): string | undefined {
    return this.files.get(path)?.bytes.toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.home, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://peer');
    const call = `${request.method ?? ''} ${url.pathname}`;
    this.calls.push(call);
    if (call === 'POST /v1/keys') await this.#rotate(request, response);
    else if (call === 'POST /v1/scrub') await this.#scrub(request, response);
    else if (ANSWERED_LINES[call] !== undefined) await this.#tellOf(ANSWERED_LINES[call], request, response);
    else if (call === 'POST /v1/recovery') await this.#recoverCatalog(request, response);
    else if (call === 'GET /v1/content') await this.#download(request, response, url.searchParams.get('path') ?? '');
    else if (call === 'POST /v1/imports') await this.#import(request, response);
    else if (call === 'POST /v1/exports') await this.#export((await body(request)) as ExportRequest, response);
    else reply(response, await this.#result(call, request, url.searchParams));
  }

  async #result(call: string, request: IncomingMessage, query: URLSearchParams): Promise<unknown> {
    const path = query.get('path') ?? '';
    const recursive = query.get('recursive') === 'true';
    switch (call) {
      case 'GET /v1/status':
        return statusReply(this.home, this.faults.locked !== true);
      case 'GET /v1/scrub':
        return SCRUB_REPLY;
      case 'GET /v1/keys':
        return { generation: 2, state: 'running', done: 5, total: 10 };
      case 'GET /v1/stat':
        return this.#entry(path);
      case 'GET /v1/entries':
        return [...this.#list(path, recursive), ...(this.faults.hostile ?? [])];
      case 'DELETE /v1/entries':
        return this.#remove(path, recursive);
      case 'POST /v1/folders':
        this.folders.add(((await body(request)) as { path: string }).path);
        return undefined;
      case 'POST /v1/move':
        this.#move((await body(request)) as { from: string; to: string });
        return undefined;
      case 'GET /v1/versions':
        return [this.#version(path)];
      case 'GET /v1/where':
        return this.#where(path);
      case 'PUT /v1/content':
        return this.#upload(request, query);
    }
    return ANSWERS[call] ?? this.users.answer(call, () => body(request));
  }

  async #recoverCatalog(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { dryRun } = (await body(request)) as { dryRun: boolean };
    this.#tell(response, recoveryEvents(dryRun));
  }

  async #scrub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await body(request);
    this.#tell(response, SCRUB_EVENTS);
  }

  #tell(response: ServerResponse, events: readonly object[]): void {
    const { cut = false, short = false } = this.faults;
    for (const event of cut || short ? events.slice(0, -1) : events) response.write(`${JSON.stringify(event)}\n`);
    if (cut) response.destroy();
    else response.end();
  }

  async #tellOf(events: readonly object[], request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(await body(request));
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
    response.end();
  }

  async #rotate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    demandPassphrase({ name: 'demo', ...((await body(request)) as { passphrase: string }) });
    const rotation = { generation: 2, state: 'running', done: 5, total: 10 };
    response.write(`${JSON.stringify({ event: 'rotation', ...rotation })}\n`);
    if (this.faults.stall === true) await once(response, 'close');
    response.end(`${JSON.stringify({ event: 'done', ...rotation, state: 'none', done: 10 })}\n`);
  }

  #file(path: string): FakeFile {
    if (this.faults.corrupt?.includes(path) === true) throw new StorageError('CORRUPT', `${path} cannot be rebuilt.`);
    const file = this.files.get(path);
    if (file === undefined) throw new StorageError('NOT_FOUND', `There is nothing at ${path}.`);
    return file;
  }

  #entry(path: string): EntryReply {
    const modified = new Date(MODIFIED).toISOString();
    if (this.folders.has(path)) return { path, type: 'folder', bytes: 0, modified, version: null };
    const file = this.files.get(path);
    if (file === undefined) throw new StorageError('NOT_FOUND', `There is nothing at ${path}.`);
    return { path, type: 'file', bytes: file.bytes.length, modified, version: file.version };
  }

  #list(path: string, recursive: boolean): EntryReply[] {
    if (this.#entry(path).type === 'file') return [this.#entry(path)];
    const start = path === '/' ? '/' : `${path}/`;
    return [...this.folders, ...this.files.keys()]
      .filter((one) => one !== '/' && one.startsWith(start) && (recursive || parentOf(one) === path))
      .sort()
      .map((one) => this.#entry(one));
  }

  #remove(path: string, recursive: boolean): RemoveReply {
    if (this.#entry(path).type === 'folder' && !recursive) throw new StorageError('CONFLICT', `${path} is a folder.`);
    const below = [...this.files.keys()].filter((one) => one === path || one.startsWith(`${path}/`));
    for (const one of below) this.files.delete(one);
    this.folders.delete(path);
    return { files: below.length, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] };
  }

  #move({ from, to }: { from: string; to: string }): void {
    const file = this.#file(from);
    this.files.delete(from);
    this.files.set(to, file);
  }

  #version(path: string): object {
    const { version, bytes, modifiedMs } = this.#file(path);
    const modified = new Date(modifiedMs).toISOString();
    return { version, bytes: bytes.length, modified, created: modified, current: true };
  }

  #where(path: string): object {
    const { bytes } = this.#file(path);
    const chunks = Array.from({ length: 6 }, (_unused, index) => {
      return { index, id: `c${String(index)}`.repeat(32), peer: `peer${String(index + 1)}`, bytes: 10 };
    });
    return { path, bytes: bytes.length, k: 4, m: 2, stripes: [{ id: 'ab'.repeat(32), chunks }] };
  }

  async #upload(request: IncomingMessage, query: URLSearchParams): Promise<PutReply> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    return this.#store(query.get('path') ?? '', Buffer.concat(parts), Number(query.get('mode') ?? 0o644));
  }

  #store(path: string, bytes: Buffer, mode: number): PutReply {
    const { version } = this.add(path, bytes, mode);
    return { path, version, bytes: bytes.length, stripes: bytes.length === 0 ? 0 : 1, missingChunks: 0 };
  }

  async #download(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const whole = this.#file(path).bytes;
    const end = last === undefined || last === '' ? whole.length : Math.min(whole.length, Number(last) + 1);
    const bytes = whole.subarray(Number(first ?? 0), end);
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': bytes.length });
    if (this.faults.stall === true || this.faults.cut === true) {
      response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
      if (this.faults.cut === true) setImmediate(() => response.destroy());
      await once(response, 'close');
    } else response.end(bytes);
  }

  async #import(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let files = 0;
    let bytes = 0;
    for await (const line of splitLines(request as AsyncIterable<Uint8Array>, 65_536)) {
      const item = JSON.parse(line) as ImportItem;
      const event = this.#importOne(item);
      if (event.event === 'stored') {
        files += 1;
        bytes += item.bytes;
      }
      response.write(`${JSON.stringify(event)}\n${JSON.stringify({ event: 'progress', bytes: item.bytes })}\n`);
    }
    response.end(`${JSON.stringify({ event: 'done', files, bytes })}\n`);
  }

  #importOne({ local, path, device, inode, mode }: ImportItem): { event: string } {
    try {
      const stats = statSync(local, { bigint: true });
      const same = stats.dev.toString() === device && stats.ino.toString() === inode;
      if (this.faults.blind === true || !same) return { event: 'unreadable', ...{ local, path } };
      return { event: 'stored', ...this.#store(path, readFileSync(local), mode) };
    } catch (error) {
      const { code, message } = wrapError(error, `Reading ${local}`);
      return { event: 'failed', ...{ local, path, code, message } };
    }
  }

  async #export({ staging, proof, items }: ExportRequest, response: ServerResponse): Promise<void> {
    if (this.faults.blind === true || readFileSync(join(staging, '.proof'), 'utf8') !== proof) {
      throw new StorageError('PERMISSION_DENIED', 'This peer cannot see that folder.');
    }
    let bytes = 0;
    for (const [item, { path }] of items.entries()) {
      try {
        const file = this.#file(path);
        writeFileSync(join(staging, String(item)), file.bytes);
        utimesSync(join(staging, String(item)), 1, 1);
        bytes += file.bytes.length;
        const { modifiedMs, mode } = file;
        response.write(`${JSON.stringify({ event: 'fetched', item, bytes: file.bytes.length, modifiedMs, mode })}\n`);
      } catch (error) {
        const { code, message } = wrapError(error, `Fetching ${path}`);
        response.write(`${JSON.stringify({ event: 'failed', item, code, message })}\n`);
      }
      if (this.faults.stall === true) await once(response, 'close');
    }
    response.end(`${JSON.stringify({ event: 'done', files: items.length, bytes })}\n`);
  }
}

function statusReply(home: string, unlocked: boolean): StatusReply {
  const peers = Array.from({ length: 6 }, (_unused, index) => ({
    id: `peer${String(index + 1)}`,
    name: `peer-${String(index + 1)}`,
    address: `127.0.0.1:${String(7000 + index)}`,
    zone: 'here',
    state: 'member' as const,
    up: index !== 5,
    capacityBytes: 1e9,
    latencyMs: index === 5 ? null : 0.5,
  }));
  return {
    version: '0',
    network: { id: 'n', name: 'fake', k: 4, m: 2 },
    peer: { id: 'peer1', name: home, address: '127.0.0.1:7000', zone: 'here' },
    peers,
    store: { chunks: 3, bytes: 300, partialBytes: 0, freeBytes: 1e9, reserveBytes: 1e6 },
    users: [{ id: 'u', name: 'demo', unlocked, generation: 1, kit: false }],
    safety: sampleSafety(),
    sync: { error: null, streams: [], damaged: [] },
    outbox: { pendingDeletes: 0 },
    missing: [],
    problems: [],
  };
}

async function body(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as unknown;
}

function reply(response: ServerResponse, value: unknown): void {
  response.writeHead(value === undefined ? 204 : 200, { 'content-type': 'application/json' });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

function fail(response: ServerResponse, error: unknown): void {
  const { code, message } = wrapError(error, 'The fake peer');
  if (response.headersSent) response.destroy();
  else response.writeHead(ERRORS[code].http).end(JSON.stringify({ code, message }));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
