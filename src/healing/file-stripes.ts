import type { Catalog, Entry, Manifest, Session, StripeRecord } from '../catalog/catalog.js';
import type { PeerId, StripeId, VersionId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { SAFETY_PAGE, SAFETY_RECORDS } from '../limits.js';
import { RECORD_LOST, type Layout, type StripeSafety } from './stripe-safety.js';

export type FilesCatalog = Pick<Catalog, 'list' | 'manifests' | 'stripes' | 'isUnlocked'>;

/** A stripe of somebody's files. */
export interface FileStripe {
  readonly id: StripeId;
  /** undefined: its record is not to be had. Stripes that are laid out alike have the same one. */
  layout: Layout | undefined;
  /** In which look its record was read; 0: in none yet. */
  readIn: number;
  /** As it was judged last. */
  safety: StripeSafety;
}

/** The newest version of a file. */
export interface SafeFile {
  path: string;
  readonly bytes: number;
  /** Entry.moved of when its manifest was read. */
  readonly moved: string | undefined;
  /** undefined: its manifest could not be read. It counts as lost, and is read again in the next look. */
  readonly stripes: readonly FileStripe[] | undefined;
}

type FoundManifest = Manifest | 'unreadable' | undefined;

/** A part of the manifest has not come here yet, is damaged, or is of a newer format. */
const UNREADABLE = ['UNAVAILABLE', 'CORRUPT', 'UNSUPPORTED'] as const;

/**
 * Which stripes a user's files lie in, and how these are laid out. A look at the catalog reads what is new, and of the records
 * that are known those that are asked for first, and then those that were read longest ago: SAFETY_RECORDS in all. So up to
 * that many stripes it is as new as the catalog, and beyond that every record is read again within some looks.
 */
export class FileStripes {
  readonly #catalog: FilesCatalog;
  #files = new Map<VersionId, SafeFile>();
  #stripes = new Map<StripeId, FileStripe>();
  readonly #layouts = new Map<string, Layout>();
  readonly #peers: PeerId[] = [];
  readonly #numbers = new Map<PeerId, number>();
  #looks = 0;

  constructor(catalog: FilesCatalog) {
    this.#catalog = catalog;
  }

  /** At the catalog, so far. */
  get looks(): number {
    return this.#looks;
  }

  get files(): Iterable<SafeFile> {
    return this.#files.values();
  }

  get stripes(): Iterable<FileStripe> {
    return this.#stripes.values();
  }

  /** @param isUrgent stripes whose records are read before those of others, SAFETY_RECORDS / 2 of them at most */
  async look(session: Session, isUrgent: (stripe: FileStripe) => boolean): Promise<void> {
    this.#looks++;
    const entries = await this.#catalog.list(session, '/', { recursive: true });
    await this.#takeFiles(session, entries);
    const fresh = [...this.#stripes.values()].filter(({ readIn }) => readIn === 0);
    const known = [...this.#stripes.values()].filter(({ readIn }) => readIn > 0);
    const first = known.length <= SAFETY_RECORDS ? known : inOrder(known, isUrgent).slice(0, SAFETY_RECORDS);
    for (const some of [fresh, first]) await this.#readRecords(some);
    this.#forgetLayouts();
  }

  async #takeFiles(session: Session, entries: readonly Entry[]): Promise<void> {
    const before = this.#files;
    const files = new Map<VersionId, SafeFile>();
    let unknown: Entry[] = [];
    const read = async (): Promise<void> => {
      for (const [version, file] of await this.#readFiles(session, unknown)) files.set(version, file);
      unknown = [];
    };
    for (const entry of entries) {
      if (entry.version === undefined) continue;
      const known = before.get(entry.version);
      if (known?.stripes === undefined || known.moved !== entry.moved) unknown.push(entry);
      else {
        known.path = entry.path;
        files.set(entry.version, known);
      }
      if (unknown.length === SAFETY_PAGE) await read();
    }
    if (unknown.length > 0) await read();
    this.#files = files;
    this.#forgetStripes();
  }

  async #readFiles(session: Session, entries: readonly Entry[]): Promise<[VersionId, SafeFile][]> {
    const paths = entries.map(({ path }) => path);
    const manifests = await this.#manifests(session, paths);
    return entries.flatMap(({ path, bytes, version, moved }, at): [VersionId, SafeFile][] => {
      const manifest = manifests[at];
      if (manifest === 'unreadable')
        return version === undefined ? [] : [[version, { path, bytes, moved, stripes: undefined }]];
      // Removed since.
      if (manifest === undefined) return [];
      const ids = new Set(manifest.extents.map(({ stripe }) => stripe));
      const stripes = [...ids].map((id) => this.#stripes.get(id) ?? this.#add(id));
      return [[manifest.version, { path, bytes: manifest.bytes, moved, stripes }]];
    });
  }

  /** One that is unreadable takes nothing away from the others. */
  async #manifests(session: Session, paths: readonly string[]): Promise<readonly FoundManifest[]> {
    try {
      return await this.#catalog.manifests(session, paths);
    } catch (error) {
      if (!StorageError.is(error, ...UNREADABLE)) throw error;
    }
    const found: FoundManifest[] = [];
    for (const path of paths) found.push(await this.#manifest(session, path));
    // Throws where it was the catalog that did not answer, and not the manifests.
    await this.#catalog.list(session, '/');
    return found;
  }

  async #manifest(session: Session, path: string): Promise<FoundManifest> {
    try {
      const [manifest] = await this.#catalog.manifests(session, [path]);
      return manifest;
    } catch (error) {
      if (StorageError.is(error, ...UNREADABLE)) return 'unreadable';
      throw error;
    }
  }

  #add(id: StripeId): FileStripe {
    const stripe: FileStripe = { id, layout: undefined, readIn: 0, safety: RECORD_LOST };
    this.#stripes.set(id, stripe);
    return stripe;
  }

  async #readRecords(stripes: readonly FileStripe[]): Promise<void> {
    for (let at = 0; at < stripes.length; at += SAFETY_PAGE) {
      const some = stripes.slice(at, at + SAFETY_PAGE);
      const records = await this.#catalog.stripes(some.map(({ id }) => id));
      for (const [index, stripe] of some.entries()) {
        const record = records[index];
        stripe.layout = record && this.#layout(record);
        stripe.readIn = this.#looks;
      }
    }
  }

  #layout({ k, chunks, placement }: StripeRecord): Layout {
    const numbers = placement.flatMap((place) => (place === undefined ? [] : this.#numberOf(place.peer)));
    numbers.sort((a, b) => a - b);
    const key = [k, chunks.length, ...numbers].join(' ');
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const layout = { k, chunks: chunks.length, peers: numbers.flatMap((at) => this.#peers[at] ?? []) };
    this.#layouts.set(key, layout);
    return layout;
  }

  /** One string for each peer, however many records name it. */
  #numberOf(peer: PeerId): number {
    const known = this.#numbers.get(peer) ?? this.#peers.push(peer) - 1;
    this.#numbers.set(peer, known);
    return known;
  }

  /** Of files that are not there any more. */
  #forgetStripes(): void {
    const stripes = new Map<StripeId, FileStripe>();
    for (const file of this.#files.values()) for (const stripe of file.stripes ?? []) stripes.set(stripe.id, stripe);
    this.#stripes = stripes;
  }

  #forgetLayouts(): void {
    const used = new Set([...this.#stripes.values()].map(({ layout }) => layout));
    for (const [key, layout] of this.#layouts) if (!used.has(layout)) this.#layouts.delete(key);
  }
}

function inOrder(stripes: readonly FileStripe[], isUrgent: (stripe: FileStripe) => boolean): FileStripe[] {
  const byAge = stripes.toSorted((a, b) => a.readIn - b.readIn);
  const first = new Set(byAge.filter(isUrgent).slice(0, SAFETY_RECORDS / 2));
  return [...first, ...byAge.filter((stripe) => !first.has(stripe))];
}
