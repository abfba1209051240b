import { StorageError } from '../../errors.js';
import type { UserSessions } from '../../services/user-sessions.js';

/** In whose name something is asked. */
export interface Asker {
  /** Name of the user; undefined where nobody in particular asks. */
  readonly user: string | undefined;
  /** Of the browser's session or the token, as Routes.callerOf says it. */
  readonly caller: string;
}

/** How it is known that a request has been answered. */
interface Reply {
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

interface Held extends Asker {
  readonly stop: AbortController;
}

/** Requests of a gateway that take their time: each ends as soon as whoever made it may not ask any more. */
export class Admitted {
  readonly #held = new Set<Held>();

  constructor(sessions: Pick<UserSessions, 'onEnd'>) {
    sessions.onEnd((user) => {
      const message = `${user} was locked at this peer meanwhile. Unlock, or sign in again, and go on.`;
      this.end((asker) => asker.user === user, new StorageError('LOCKED', message));
    });
  }

  /** @returns aborted with the reason when the asker may not ask any more */
  admit({ user, caller }: Asker, reply: Reply): AbortSignal {
    const held = { user, caller, stop: new AbortController() };
    if (!reply.closed) {
      this.#held.add(held);
      reply.once('close', () => this.#held.delete(held));
    }
    return held.stop.signal;
  }

  end(isMeant: (asker: Asker) => boolean, reason: StorageError): void {
    for (const { stop } of [...this.#held].filter(isMeant)) stop.abort(reason);
  }
}
