import { json } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Catalog, Session } from '../../catalog/catalog.js';
import { parseVersionId, type VersionId } from '../../chunk/ids.js';
import { isErrorCode, StorageError } from '../../errors.js';
import { serviceMissing } from '../../services/service-names.js';
import type { ServiceClient } from '../http/service-client.js';
import { encodeSession, SESSION_HEADER } from '../http/session-header.js';
import type { ByteRange, ContentToPut, FileContent, StoredContent } from './content.js';

const STORED = z.object({ version: z.string() });
const PROBLEM = z.object({ code: z.string(), message: z.string() });

/** Where a File Receiver of its own reads. */
export function serviceReading(catalog: Catalog, client: ServiceClient): Pick<FileContent, 'open'> {
  return {
    async open(session: Session, path: string): Promise<StoredContent> {
      const { type, bytes, modifiedMs, mode, version } = await catalog.stat(session, path);
      if (type === 'folder' || version === undefined) {
        throw new StorageError('CONFLICT', `${path} is a folder, not a file.`);
      }
      const query = new URLSearchParams({ path, version });
      return {
        ...{ version, bytes, modifiedMs, mode },
        async *read(reader: Session, { from, to }: ByteRange, signal: AbortSignal) {
          if (from === to) return;
          const headers = { [SESSION_HEADER]: encodeSession(reader), range: `bytes=${String(from)}-${String(to - 1)}` };
          const call = { method: 'GET', path: `/v1/content?${query.toString()}`, headers, signal };
          const response = await client.open(call, (outgoing) => outgoing.end());
          try {
            await demandGood(response, client);
            for await (const part of response) yield part as Uint8Array;
          } catch (error) {
            throw explained(error, client, signal);
          } finally {
            response.destroy();
          }
        },
      };
    },
  };
}

/** Where a File Sender of its own puts. */
export function servicePutting(client: ServiceClient): Pick<FileContent, 'put'> {
  return {
    async put(session: Session, file: ContentToPut, signal: AbortSignal): Promise<VersionId> {
      const { path, modifiedMs, mode, source } = file;
      const query = new URLSearchParams({ path, modified: String(modifiedMs), mode: String(mode) });
      const headers = {
        [SESSION_HEADER]: encodeSession(session),
        'content-type': 'application/octet-stream',
        'transfer-encoding': 'chunked',
      };
      const call = { method: 'PUT', path: `/v1/content?${query.toString()}`, headers, signal };
      let sourceError: unknown;
      const response = await client
        .open(call, (outgoing) => {
          const body = Readable.from(source, { objectMode: false });
          body.once('error', (error) => (sourceError = error));
          // How the sending ends is told by the answer, or by its absence.
          void pipeline(body, outgoing).catch(() => undefined);
        })
        .catch((error: unknown) => {
          throw sourceError ?? error;
        });
      try {
        await demandGood(response, client);
        return parseVersionId(STORED.parse(await json(response)).version);
      } catch (error) {
        throw explained(error, client, signal);
      } finally {
        response.destroy();
      }
    },
  };
}

async function demandGood(response: IncomingMessage, client: ServiceClient): Promise<void> {
  if ((response.statusCode ?? 500) < 400) return;
  const problem = PROBLEM.safeParse(await json(response).catch(() => undefined));
  if (problem.success && isErrorCode(problem.data.code)) {
    throw new StorageError(problem.data.code, problem.data.message);
  }
  throw serviceMissing(client.service, 'does not answer');
}

function explained(error: unknown, client: ServiceClient, signal: AbortSignal): unknown {
  if (error instanceof StorageError) return error;
  return signal.aborted ? signal.reason : client.explain(error);
}
