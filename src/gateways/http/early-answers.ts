import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { EARLY_ANSWER_MS } from '../../limits.js';

/**
 * An answer may come before the end of the request, as a refusal in the middle of an upload does. Browsers look for it only
 * when all is sent, or can be sent no more; whoever is cut off at once may lose it (RFC 9112, section 9.6). So what still comes
 * is read and thrown away for a while, and then the connection is cut.
 */
export function answerEarly(server: FastifyInstance): void {
  const closing = new WeakSet<IncomingMessage>();
  server.addHook('onSend', async ({ raw }, { raw: response }) => {
    if (raw.complete || raw.destroyed || response.shouldKeepAlive) return;
    // Whoever wants the connection closed would be cut off with the last byte of the answer.
    response.shouldKeepAlive = true;
    closing.add(raw);
  });
  server.addHook('onResponse', async ({ raw }) => {
    const { socket } = raw;
    const end = (): void => {
      if (closing.has(raw)) socket.end();
    };
    if (raw.complete || raw.destroyed) {
      end();
      return;
    }
    const late = setTimeout(() => socket.destroy(), EARLY_ANSWER_MS).unref();
    const stop = (): void => {
      clearTimeout(late);
    };
    raw.once('end', () => {
      stop();
      end();
    });
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
