import type { PeerId } from '../../chunk/ids.js';
import type { DamagedDatabase } from '../../documents/level-host.js';
import type { StreamState } from '../../documents/replication/stream.js';
import { type Logger } from '../../log.js';
import { wrapError } from '../../errors.js';
import type { SyncReply } from './api.js';

/** Where a status learns how the document databases stand. */
export interface DocumentsSource {
  readonly status: () => Promise<{
    readonly replication: readonly StreamState[];
    readonly damaged: readonly DamagedDatabase[];
  }>;
}

/** A hosting that does not answer is part of the status, not the end of it. */
export async function syncOf(
  documents: DocumentsSource,
  nameOf: (peer: PeerId) => string,
  logger: Logger,
): Promise<SyncReply> {
  try {
    const { replication, damaged } = await documents.status();
    return { error: null, streams: replication.map((stream) => streamOf(stream, nameOf)), damaged };
  } catch (error) {
    const { code, message } = wrapError(error, 'Asking PouchDB hosting');
    logger.warn({ code, reason: message }, 'the state of the document databases is not known');
    return { error: message, streams: [], damaged: [] };
  }
}

function streamOf(stream: StreamState, nameOf: (peer: PeerId) => string): SyncReply['streams'][number] {
  const { host, database, direction, phase, sequence, pending, written, refused, lastError, lastSuccessMs } = stream;
  return {
    host,
    hostName: nameOf(host),
    database,
    direction,
    phase,
    sequence,
    pending: pending ?? null,
    written,
    refused,
    error: phase === 'failing' ? (lastError?.message ?? null) : null,
    lastSuccessMs: lastSuccessMs ?? null,
  };
}
