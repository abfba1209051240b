import type { Session } from '../../catalog/catalog.js';
import type { VersionId } from '../../chunk/ids.js';
import { assert, StorageError } from '../../errors.js';
import type { Engine, ReadEngine } from '../../file/engine.js';
import { putFiles } from '../../file/put.js';
import { readFile } from '../../file/read.js';
import type { ContentToPut, FileContent, StoredContent } from './content.js';

type Reading = Pick<FileContent, 'open'>;
type Putting = Pick<FileContent, 'put'>;

/** Where the File Receiver runs in this process. */
export function engineReading(engine: ReadEngine): Reading {
  return {
    async open(session: Session, path: string): Promise<StoredContent> {
      const manifest = await engine.catalog.manifest(session, path);
      const { version, bytes, modifiedMs, mode } = manifest;
      return {
        ...{ version, bytes, modifiedMs, mode },
        read: (reader, range, signal) => readFile(engine, reader, { manifest, range, signal }),
      };
    },
  };
}

/** Where the File Sender runs in this process. */
export function enginePutting(engine: Engine): Putting {
  return {
    async put(session: Session, file: ContentToPut, signal: AbortSignal): Promise<VersionId> {
      let result: VersionId | StorageError | undefined;
      await putFiles(engine, session, one(file), {
        signal,
        onStored: (_file, { version }) => {
          result = version;
        },
        onFailed: (_file, error) => {
          result = error;
        },
      });
      if (result instanceof StorageError) throw result;
      assert(result !== undefined, 'a put tells of its file');
      return result;
    },
  };
}

async function* one<T>(item: T): AsyncGenerator<readonly T[]> {
  yield [item];
}
