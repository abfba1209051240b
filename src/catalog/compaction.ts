import type { FileId, StripeId, VersionId } from '../chunk/ids.js';
import type { ExtentRef, SessionToken, StripePage } from './catalog.js';

/** Most that one call tells of, each 45 bytes on the wire: each call looks at all versions. */
export const LIVE_STRIPE_PAGE = 20_000;

/** A stripe that versions refer to. */
export interface LiveStripe {
  readonly stripe: StripeId;
  /** Sealed bytes of it that some version refers to. */
  readonly bytes: number;
}

/** A version of a file, as the directory of a stripe tells of it. */
export interface LiveVersion {
  readonly file: FileId;
  readonly version: VersionId;
  /** Of the file now; in the trash: that it had. */
  readonly path: string;
  readonly modifiedMs: number;
  /** Unix time of its put. */
  readonly createdMs: number;
  readonly mode: number;
}

/** An extent in a stripe, and a version that refers to it; others may, too. */
export interface LiveExtent extends LiveVersion {
  readonly fileOffset: number;
  /** The file ends with it. */
  readonly last: boolean;
  readonly extent: ExtentRef;
}

/** Bytes of a version were stored anew. */
export interface ExtentMove {
  readonly file: FileId;
  readonly version: VersionId;
  readonly from: Pick<ExtentRef, 'stripe' | 'offset'>;
  /** Of as many plaintext bytes. */
  readonly to: ExtentRef;
}

/**
 * Moving what is needed of a stripe elsewhere, so that the stripe can be given back. UNAVAILABLE while a part of the catalog is
 * missing. docs/decisions/0022
 */
export interface CompactionCatalog {
  /**
   * The next stripes behind `after`, in ascending order. Left out are those that hold something of a version of very many
   * extents, or of one that is to be removed for ever.
   *
   * @param page of at most LIVE_STRIPE_PAGE
   */
  liveStripes(session: SessionToken, page: StripePage): Promise<readonly LiveStripe[]>;
  liveExtents(session: SessionToken, stripes: readonly StripeId[]): Promise<readonly LiveExtent[]>;
  /** Those of no bytes: nothing but the directories of stripes tells of them, should the catalog be lost. */
  emptyVersions(session: SessionToken): Promise<readonly LiveVersion[]>;
  /**
   * The versions keep their ids, times and order. Passed over is what was removed or moved meanwhile. The stripes of before, and
   * of now, stay referred to until `giveUpMoved`.
   *
   * @returns how many versions were moved
   */
  moveExtents(session: SessionToken, moves: readonly ExtentMove[]): Promise<number>;
  /**
   * Announces that stripes of moves before `untilMs` (Unix time) are not needed any more, as far as no version lies there: they
   * are among `dueRemovals` when all homes of the user know, unless something has come there meanwhile. To be called again and again.
   *
   * @returns how many such stripes are not given back yet
   */
  giveUpMoved(session: SessionToken, untilMs: number): Promise<number>;
}
