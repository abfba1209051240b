import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { EARLY_ANSWER_MS } from '../../limits.js';

/**
 * An answer may come before the end of the request, as a refusal in the middle of an upload does. Browsers look for it only
 * when all is sent, or can be sent no more; whoever is cut off at once may lose it (RFC 9112, section 9.6). So what still comes
 * is read and thrown away for a while, and then the connection is cut.
 */
export function answerEarly(server: FastifyInstance): void {
  server.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return;
    const late = setTimeout(() => raw.socket.destroy(), EARLY_ANSWER_MS).unref();
    const stop = (): void => {
      clearTimeout(late);
    };
    raw.once('end', stop);
    raw.once('close', stop);
    discard(raw);
  });
}

/** Whatever was reading it has left off, and would hold it up. */
function discard(request: IncomingMessage): void {
  request.unpipe();
  request.removeAllListeners('data');
  request.removeAllListeners('readable');
  // That nobody waits for 'readable' any more a stream notices in the next turn.
  setImmediate(() => {
    request.on('data', () => undefined);
    request.resume();
  });
}
