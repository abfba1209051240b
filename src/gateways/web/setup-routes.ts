import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HOST_AND_PORT } from '../../front/address.js';
import {
  MAX_PASSPHRASE_BYTES,
  MAX_PEER_TEXT_CHARS,
  MAX_STRIPE_CHUNKS,
  MAX_TOKEN_CHARS,
  MAX_USER_NAME_CHARS,
} from '../../limits.js';
import { check } from '../http/requests.js';
import { signalOf, type Routes } from '../http/routes.js';
import type { JoinNetworkRequest, MadeReply, NewNetworkRequest, SetupReply } from './setup-api.js';

/** Makes the peer of a home that has none. */
export interface SetupParts {
  proposal(): Promise<SetupReply>;
  /** @throws StorageError CONFLICT while another one is being made, or after it was; and what createNetwork throws */
  create(request: NewNetworkRequest): Promise<MadeReply>;
  /** @throws StorageError as create, and what joinNetwork throws */
  join(request: JoinNetworkRequest, signal: AbortSignal): Promise<MadeReply>;
  /** The answer has left: nothing more is asked of setup. */
  finish(): void;
}

const text = z.string().max(MAX_PEER_TEXT_CHARS);
const place = text.regex(HOST_AND_PORT, 'must be HOST:PORT');
const newPeer = {
  peer: text.min(1),
  listen: place,
  address: place,
  zone: text,
  capacityBytes: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
};

const REQUESTS = {
  network: z.strictObject({
    ...newPeer,
    name: text.min(1),
    tolerate: z.number().int().nonnegative().max(MAX_STRIPE_CHUNKS).optional(),
    user: z.string().min(1).max(MAX_USER_NAME_CHARS),
    passphrase: z.string().min(1).max(MAX_PASSPHRASE_BYTES),
  }),
  join: z.strictObject({
    ...newPeer,
    token: z.string().min(1).max(MAX_TOKEN_CHARS),
    backup: z.boolean().optional(),
  }),
} as const;

/** First run: setup-api.ts. */
export function setupRoutes(server: FastifyInstance, routes: Pick<Routes, 'stopping'>, setup: SetupParts): void {
  server.get('/v1/setup', async () => setup.proposal());

  server.post('/v1/setup/network', async (request, reply) => {
    const closed = once(reply.raw, 'close');
    const made = await setup.create(check(REQUESTS.network, request.body));
    void closed.then(() => setup.finish());
    return made;
  });

  server.post('/v1/setup/join', async (request, reply) => {
    const closed = once(reply.raw, 'close');
    const made = await setup.join(check(REQUESTS.join, request.body), signalOf(routes, reply));
    void closed.then(() => setup.finish());
    return made;
  });
}
