import type { Catalog, Session } from '../../catalog/catalog.js';
import type { Handles } from './handles.js';
import type { OpenFiles } from './open-files.js';
import type { ReadWindows } from './read-window.js';
import type { Space } from './replies.js';
import type { SftpRequest } from './requests.js';

/** What the requests of one channel work with. */
export interface RequestParts {
  readonly catalog: Catalog;
  readonly files: OpenFiles;
  readonly windows: ReadWindows;
  readonly handles: Handles;
  /** Of whoever logged in. @throws StorageError LOCKED */
  readonly session: () => Session;
  readonly space: () => Promise<Space>;
  /** Runs what is about names one after the other, in the order of the requests: sshfs asks for a file while it opens it. */
  readonly inOrder: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Requests that name what they are about by a handle; the others do by a path, or are about nothing in particular. */
export type HandleRequest = Extract<SftpRequest, { readonly handle: Buffer }>;
export type PathRequest = Exclude<SftpRequest, HandleRequest>;
