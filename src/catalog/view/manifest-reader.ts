import type { FileId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { AddVersion, Extent } from '../../gen/shoal/v1/format.js';
import type { Logger } from '../../log.js';
import type { Manifest } from '../catalog.js';
import { decodeExtent } from './manifest.js';
import { stripesOf } from './stripe-references.js';
import type { UserDocuments } from './user-documents.js';
import type { View } from './view.js';
import { readVersion, type ViewNode, type ViewVersion } from './view-node.js';

/** Manifests of versions, the extents of large ones read from their documents when they are asked for. */
export class ManifestReader {
  readonly #documents: UserDocuments;
  readonly #logger: Logger;

  constructor(documents: UserDocuments, logger: Logger) {
    this.#documents = documents;
    this.#logger = logger;
  }

  async manifestOf(node: ViewNode, version: ViewVersion): Promise<Manifest> {
    const { bytes, modifiedMs, mode } = version;
    const extents = (await this.#extents(readVersion(version))).map(decodeExtent);
    return { file: node.id as FileId, version: version.id, bytes, modifiedMs, mode, extents };
  }

  /** Reads which stripes large versions lie in. @returns true when that is not known of all: then nothing may be freed */
  async countLarge(view: View): Promise<boolean> {
    let blind = false;
    for (const version of view.uncounted) {
      try {
        view.count(version, stripesOf(await this.#extents(readVersion(version))));
      } catch (error) {
        if (!StorageError.is(error, 'UNAVAILABLE', 'CORRUPT', 'UNSUPPORTED')) throw error;
        this.#logger.warn({ version: version.id, code: error.code }, 'extents cannot be read: no space is given back');
        blind = true;
      }
    }
    return blind;
  }

  async #extents(version: AddVersion): Promise<readonly Extent[]> {
    if (version.extentDocuments.length === 0) return version.extents;
    const extents = await this.#documents.readExtents(version.extentDocuments);
    if (extents.reduce((sum, extent) => sum + extent.bytes, 0) !== version.bytes) {
      throw new StorageError(
        'CORRUPT',
        'The manifest of this file is not whole. Restore its catalog from a backup host.',
      );
    }
    return extents;
  }
}
