import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, Metadata, status, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import type { ChunkHeader } from '../../src/chunk/chunk-store.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { HANDSHAKE_TIMEOUT_MS, MAX_CHUNK_BYTES } from '../../src/limits.js';
import { TestUser, type TestPeer } from '../wire/network.js';
import type { FrontStage } from './stage.js';

export const user = new TestUser();
/** Each way; 1024 for the figures of docs/decisions/0013-front.md. */
export const TRANSFER_MIB = Number(process.env['FRONT_TEST_MIB'] ?? 64);

export interface Offered {
  readonly content: Buffer;
  readonly header: ChunkHeader;
  readonly grant: Uint8Array;
}

export function offer(source: TestPeer, content = randomBytes(MAX_CHUNK_BYTES)): Offered {
  const shape = describeChunk(content);
  const { label, grant } = user.authorize(shape, source.id);
  return { content, header: { ...shape, owner: user.id, label }, grant };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask(options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** One small call, by whoever has these credentials. @returns its gRPC status */
export function statusOf(
  port: number,
  made: ChannelCredentials,
  path: string,
  metadata = new Metadata(),
): Promise<number> {
  const client = new Client(`127.0.0.1:${String(port)}`, made, { 'grpc.ssl_target_name_override': 'peer.shoal' });
  return new Promise((resolve) => {
    const through = (message: Buffer): Buffer => message;
    client.makeUnaryRequest(path, through, through, Buffer.alloc(0), metadata, (error: ServiceError | null) => {
      client.close();
      resolve(error === null ? status.OK : error.code);
    });
  });
}

/** A moment, and the CPU time until then. */
export interface Mark {
  readonly atMs: number;
  /** Of the front, where it is a process of its own. */
  readonly frontSeconds: number | undefined;
  /** Of this process: client and services, and the front in the process. */
  readonly ownSeconds: number;
}

export async function mark(stage: FrontStage): Promise<Mark> {
  const frontSeconds = await stage.frontCpuSeconds();
  const { user: userTime, system } = process.cpuUsage();
  return { atMs: performance.now(), frontSeconds, ownSeconds: (userTime + system) / 1e6 };
}

export function figures(direction: string, [from, to]: readonly Mark[]): string {
  assert.ok(from && to);
  const seconds = (to.atMs - from.atMs) / 1000;
  const rate = `${direction}: ${seconds.toFixed(2)} s, ${(TRANSFER_MIB / seconds).toFixed(0)} MiB/s`;
  const own = `CPU of client and services ${(to.ownSeconds - from.ownSeconds).toFixed(2)} s`;
  if (from.frontSeconds === undefined || to.frontSeconds === undefined) return `${rate}; ${own}`;
  return `${rate}; ${own}, of the front ${(to.frontSeconds - from.frontSeconds).toFixed(2)} s`;
}

/** The certificate that a new connection is shown, DER. */
export async function shownBy({ port, member }: FrontStage): Promise<Buffer> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    ca: member.tls.authority,
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw;
}

export async function listens(port: number): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Fails after 15 s. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it did not come about in 15 s');
    await delay(10);
  }
}

/** Connections that keep the front waiting. @returns when each of them was cut; fails when it is late */
export function slowClients({ port, host }: FrontStage): readonly Promise<void>[] {
  const silent = connectTcp(port, '127.0.0.1');
  const dripping = connectTls({
    port,
    host: '127.0.0.1',
    ca: host.tls.authority,
    checkServerIdentity: () => undefined,
  });
  dripping.once('secureConnect', () => drip(dripping, 'GET /couchdb/network HTTP/1.1\r\nhost: a\r\n'));
  return [silent, dripping].map(cut);
}

/** One byte a second, for as long as it is taken. */
export function drip(socket: TLSSocket, text: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++ % text.length)), 1_000);
  socket.once('close', () => clearInterval(timer));
}

export function cut(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', () => undefined);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('a slow client was kept'));
    }, 2 * HANDSHAKE_TIMEOUT_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
