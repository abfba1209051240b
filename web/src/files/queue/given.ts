import type { FileHandle, GivenFile } from './item.js';

/** What was dropped or picked: files, and folders with nothing in them. */
export interface Given {
  readonly files: readonly GivenFile[];
  readonly emptyFolders: readonly string[];
}

type FolderHandle = FileHandle & {
  readonly kind: string;
  readonly name: string;
  values(): AsyncIterable<FolderHandle>;
};

interface Pickers {
  showOpenFilePicker?(options: { readonly multiple: boolean }): Promise<FolderHandle[]>;
  showDirectoryPicker?(): Promise<FolderHandle>;
}

interface DroppedItem {
  getAsFileSystemHandle?(): Promise<FolderHandle | null>;
  webkitGetAsEntry?(): FileSystemEntry | null;
  getAsFile(): File | null;
}

interface Source {
  readonly handle: Promise<FolderHandle | null> | null;
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
}

/** Everything in a drop, folders with all that is in them. To be called in the event's handler: later, the browser has emptied it. */
export function filesOfDrop(transfer: DataTransfer): Promise<Given> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file') as unknown as DroppedItem[];
  const sources: Source[] = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.() ?? null,
    entry: item.webkitGetAsEntry?.() ?? null,
    file: item.getAsFile(),
  }));
  return gather(async (found) => {
    for (const { handle, entry, file } of sources) {
      // Chromium refuses handles of files that a script has made.
      const known = await handle?.catch(() => null);
      if (known !== null && known !== undefined) await walkHandle(found, known, '');
      else if (entry !== null) await walkEntry(found, entry, '');
      else if (file !== null) found.files.push({ file, relativePath: file.name, handle: null });
    }
  });
}

/** The browser has a picker whose files can be found again after a reload. */
export function canPick(what: 'files' | 'folder'): boolean {
  return what === 'files' ? 'showOpenFilePicker' in globalThis : 'showDirectoryPicker' in globalThis;
}

/** Asks for files or a folder; nothing when it is called off. */
export function pick(what: 'files' | 'folder'): Promise<Given> {
  const pickers = globalThis as Pickers;
  return gather(async (found) => {
    try {
      const handles =
        what === 'files'
          ? ((await pickers.showOpenFilePicker?.({ multiple: true })) ?? [])
          : [await pickers.showDirectoryPicker?.()].filter((handle) => handle !== undefined);
      for (const handle of handles) await walkHandle(found, handle, '');
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
    }
  });
}

/** Of an <input type="file">, of files or of a folder. */
export function filesOfInput(input: HTMLInputElement): Given {
  const files = [...(input.files ?? [])].map((file) => ({
    ...{ file, handle: null },
    relativePath: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
  }));
  return { files, emptyFolders: [] };
}

interface Found {
  readonly files: GivenFile[];
  readonly emptyFolders: string[];
}

async function gather(work: (found: Found) => Promise<void>): Promise<Given> {
  const found: Found = { files: [], emptyFolders: [] };
  await work(found);
  return found;
}

async function walkHandle(found: Found, handle: FolderHandle, prefix: string): Promise<void> {
  const relativePath = `${prefix}${handle.name}`;
  if (handle.kind === 'file') {
    found.files.push({ file: await handle.getFile(), relativePath, handle });
    return;
  }
  let empty = true;
  for await (const child of handle.values()) {
    empty = false;
    await walkHandle(found, child, `${relativePath}/`);
  }
  if (empty) found.emptyFolders.push(relativePath);
}

async function walkEntry(found: Found, entry: FileSystemEntry, prefix: string): Promise<void> {
  const relativePath = `${prefix}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    found.files.push({ file, relativePath, handle: null });
    return;
  }
  const children = await childrenOf((entry as FileSystemDirectoryEntry).createReader());
  for (const child of children) await walkEntry(found, child, `${relativePath}/`);
  if (children.length === 0) found.emptyFolders.push(relativePath);
}

/** A reader gives a hundred or so at a time, and none at the end. */
async function childrenOf(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  let some = await someOf(reader);
  while (some.length > 0) {
    all.push(...some);
    some = await someOf(reader);
  }
  return all;
}

function someOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => {
    reader.readEntries(resolve, reject);
  });
}
