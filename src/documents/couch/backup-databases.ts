import type { SecurityPart } from '../security.js';

/** The databases of a backup host, as whoever provisions them sees them. Failures are StorageErrors. */
export interface BackupDatabases {
  /** Of those that peers replicate, in ascending order. */
  names(): Promise<readonly string[]>;
  /** Makes a database when it is missing, with our rules, for these and nobody else. May be repeated. */
  provide(name: string, members: SecurityPart): Promise<void>;
  /** Whether documents of peers lie in it; false when there is no such database. */
  isFilled(name: string): Promise<boolean>;
  /** With all it holds; nothing happens when there is none. */
  drop(name: string): Promise<void>;
  /** Forgets what was replaced; it is gone when this resolves. */
  compact(name: string): Promise<void>;
}

/** Only the server's own admins may change who may. */
export const ADMINS: SecurityPart = { names: [], roles: ['_admin'] };
