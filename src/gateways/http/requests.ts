import { z } from 'zod';
import { parseVersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import {
  MAX_ARCHIVE_PATHS,
  MAX_EXPORT_ITEMS,
  MAX_KIT_TEXT_CHARS,
  MAX_PASSPHRASE_BYTES,
  MAX_PATH_BYTES,
  MAX_SEARCH_CHARS,
  MAX_SEARCH_RESULTS,
  MAX_USER_NAME_CHARS,
} from '../../limits.js';

/** What requests must look like. Remote paths are checked in full by the catalog; here only their size. */
const path = z.string().min(1).max(MAX_PATH_BYTES);
const flag = z
  .enum(['true', 'false'])
  .optional()
  .transform((value) => value === 'true');
const bytes = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const mode = z.number().int().min(0).max(0o7777);
/** Files may be older than 1970. */
const modifiedMs = z.number().min(-8.64e15).max(8.64e15);
const version = z
  .string()
  .optional()
  .transform((value) => (value === undefined ? undefined : parseVersionId(value)));

const user = z.string().max(MAX_USER_NAME_CHARS);
const passphrase = z.string().max(MAX_PASSPHRASE_BYTES);
const revokeTokens = z.boolean().default(false);

export const REQUESTS = {
  credentials: z.strictObject({ name: user, passphrase }),
  name: z.strictObject({ name: user }),
  passphrase: z.strictObject({ name: user, old: passphrase, next: passphrase, revokeTokens }),
  recovery: z.strictObject({ name: user, words: z.string().max(MAX_KIT_TEXT_CHARS), next: passphrase, revokeTokens }),
  rotation: z.strictObject({ passphrase, entriesPerSecond: z.number().positive().optional(), revokeTokens }),
  adoption: z.strictObject({ name: user.optional(), id: z.string().max(64).optional() }),
  catalogRecovery: z.strictObject({ dryRun: z.boolean() }),
  path: z.strictObject({ path }),
  tree: z.strictObject({
    path,
    recursive: flag,
    offset: z.coerce.number().pipe(bytes).default(0),
    limit: z.coerce.number().pipe(z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)).optional(),
    order: z.enum(['name', 'bytes', 'modified']).optional(),
    descending: flag,
  }),
  removal: z.strictObject({ path, recursive: flag, forever: flag }),
  trash: z.strictObject({ olderThanMs: z.coerce.number().pipe(bytes).default(0) }),
  file: z.strictObject({ path, version }),
  content: z.strictObject({ path, version, disposition: z.enum(['inline', 'attachment']).default('attachment') }),
  archive: z.strictObject({
    path: z.union([path.transform((only) => [only]), z.array(path).min(1).max(MAX_ARCHIVE_PATHS)]),
  }),
  search: z.strictObject({
    text: z.string().min(1).max(MAX_SEARCH_CHARS),
    path: path.default('/'),
    limit: z.coerce.number().pipe(z.number().int().min(1).max(MAX_SEARCH_RESULTS)).default(100),
  }),
  move: z.strictObject({ from: path, to: path }),
  upload: z.strictObject({
    path,
    modified: z.coerce.number().pipe(modifiedMs).optional(),
    mode: z.coerce.number().pipe(mode).optional(),
  }),
  importItem: z.object({
    local: z.string().min(1).max(MAX_PATH_BYTES),
    path,
    device: z.string().max(32),
    inode: z.string().max(32),
    bytes,
    modifiedMs,
    mode,
    resume: z.boolean().default(true),
  }),
  export: z.strictObject({
    staging: z.string().min(1).max(MAX_PATH_BYTES),
    proof: z.string().min(16).max(256),
    items: z.array(z.strictObject({ path, version })).max(MAX_EXPORT_ITEMS),
  }),
} as const;

/** @throws StorageError INVALID_ARGUMENT that names the field */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `The request has a wrong "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'unknown'}.`,
  );
}

/** One Range header, one range (RFC 9110 section 14.2). @returns undefined for the whole file */
export function rangeOf(
  header: string | undefined,
  size: number,
): { readonly from: number; readonly to: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) throw unsatisfiable(header, size);
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to) throw unsatisfiable(header, size);
  return { from, to };
}

function unsatisfiable(header: string, size: number): StorageError {
  return new StorageError(
    'INVALID_ARGUMENT',
    `The range "${header.slice(0, 64)}" is not within this file of ${String(size)} bytes.`,
  );
}
