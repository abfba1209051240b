import { ID_BYTES, parseUserId, type UserId } from '../../chunk/ids.js';
import type { DocumentDatabase } from '../../documents/document-database.js';
import type { Logger } from '../../log.js';
import { followFeed } from '../view/feed.js';
import { HOME_PREFIX } from '../records/home-record.js';
import { USER_PREFIX } from './user-document.js';

export interface UserWatchOptions {
  /** The database `network`. It is closed with the watch. */
  readonly database: DocumentDatabase;
  readonly logger: Logger;
  /** A document of this user has changed, here or elsewhere. */
  readonly onChange: (user: UserId) => Promise<void>;
  /** A home of this user has. */
  readonly onHome: (user: UserId) => void;
  /** Documents of any users, and homes, may have changed. */
  readonly catchUp: () => Promise<void>;
}

/** Of the documents of one kind. */
function userOf(id: string, prefix: string): UserId | undefined {
  if (!id.startsWith(prefix)) return undefined;
  try {
    return parseUserId(id.slice(prefix.length, prefix.length + 2 * ID_BYTES));
  } catch {
    // Anybody may write a document of such a name; it is nobody's.
    return undefined;
  }
}

/** Tells of users whose documents or homes change, as they come from other peers. */
export class UserWatch implements AsyncDisposable {
  readonly #options: UserWatchOptions;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(options: UserWatchOptions) {
    this.#options = options;
  }

  static async open(options: UserWatchOptions): Promise<UserWatch> {
    const watch = new UserWatch(options);
    watch.#following = watch.#follow(await options.database.sequence());
    return watch;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#options.database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #follow(since: string): Promise<void> {
    const { database, logger, onChange, onHome, catchUp } = this.#options;
    const take = async (ids: readonly string[]): Promise<void> => {
      for (const user of new Set(ids.flatMap((id) => userOf(id, USER_PREFIX) ?? []))) await onChange(user);
      for (const user of new Set(ids.flatMap((id) => userOf(id, HOME_PREFIX) ?? []))) onHome(user);
    };
    return followFeed(database, { since, signal: this.#stop.signal, logger, take, catchUp });
  }
}
