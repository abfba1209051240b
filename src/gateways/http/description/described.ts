import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { PROBLEM } from './file-replies.js';

/** What is told of a route, and what its requests are held to. */
export interface Described {
  readonly tag: 'Files' | 'Uploads' | 'Users' | 'Sessions' | 'Network' | 'Peer';
  readonly about: string;
  readonly query?: z.ZodType;
  readonly params?: z.ZodType;
  /** As JSON. */
  readonly body?: z.ZodType;
  /** Instead: the type of bytes that are streamed. */
  readonly bytes?: string;
  /** As JSON; absent: 204. */
  readonly reply?: z.ZodType;
  /** Instead: the type of a stream, and one element of it where it is text. */
  readonly stream?: { readonly type: string; readonly of?: z.ZodType };
  /** Beside 200 or 204: what the status says. */
  readonly also?: Readonly<Record<number, string>>;
  /** Answers without a session, too. */
  readonly open?: boolean;
}

const BINARY = z.string().meta({ format: 'binary' });

/** As Fastify, and what writes OpenAPI from it, want it. */
export function schemaOf(route: Described): FastifySchema {
  const { tag, about, query, params, body, bytes, open } = route;
  return {
    ...{ tags: [tag], summary: about },
    ...(query && { querystring: query }),
    ...(params && { params }),
    ...(body && { body }),
    ...(bytes !== undefined && { body: BINARY, consumes: [bytes] }),
    ...(open === true && { security: [] }),
    response: { ...good(route), ...others(route), '4xx': problem('Refused'), '5xx': problem('Failed') },
  };
}

function good({ reply, stream }: Described): Record<string, unknown> {
  if (stream !== undefined) {
    const schema = stream.of ?? BINARY;
    return { 200: { description: 'A stream', content: { [stream.type]: { schema } } } };
  }
  if (reply === undefined) return { 204: z.null().describe('Done') };
  return { 200: { description: 'Done', content: { 'application/json': { schema: reply } } } };
}

function others({ also = {} }: Described): Record<string, unknown> {
  return Object.fromEntries(Object.entries(also).map(([status, about]) => [status, z.null().describe(about)]));
}

function problem(description: string): unknown {
  return { description, content: { 'application/json': { schema: PROBLEM } } };
}
