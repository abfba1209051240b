/** A file on its way up, as it is kept across reloads. */
export interface KeptItem {
  readonly id: string;
  /** Where it is to lie. */
  readonly path: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly modified: number;
  readonly state: KeptState;
  /** Of the upload at the peer that holds what was sent; null when there is none (yet). */
  readonly uploadUrl: string | null;
  /** With this the browser finds the file again by itself; null where it cannot. */
  readonly handle: FileHandle | null;
}

/** `running` is not kept: after a reload nothing runs. */
export type KeptState = 'waiting' | 'paused' | 'done' | 'failed';
/** `missing`: the file has to be given again. */
export type ItemState = KeptState | 'running' | 'missing';

/** The part of FileSystemFileHandle that is used here; only some browsers have it. */
export interface FileHandle {
  getFile(): Promise<File>;
  queryPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { readonly mode: 'read' }): Promise<PermissionState>;
}

/** What somebody has dropped or picked. */
export interface GivenFile {
  readonly file: File;
  /** Below the folder it was dropped on: "holiday/1.jpg". */
  readonly relativePath: string;
  readonly handle: FileHandle | null;
}
