import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { StorageError } from './errors.js';

/** sun_path holds 104 bytes on macOS and 108 on Linux, with its final NUL; a longer path is cut or refused by the kernel. */
const MAX_SOCKET_PATH_BYTES = 100;

/**
 * Where a peer's unix socket `name` lies: `<home>/<name>.sock`, or, where that is too long for the kernel, a path in the
 * user's own folder under the system's temporary folder that only depends on the home. The folder is made here, so that
 * both sides may call this first.
 *
 * @throws StorageError PERMISSION_DENIED when somebody else made that folder, or others may enter it
 */
export function socketPath(home: string, name: string): string {
  const direct = join(resolve(home), `${name}.sock`);
  if (Buffer.byteLength(direct) <= MAX_SOCKET_PATH_BYTES) return direct;
  const folder = join(tmpdir(), `shoal-${String(userInfo().uid)}`);
  claimFolder(folder);
  const digest = createHash('sha256').update(canonical(home)).digest('hex').slice(0, 16);
  return join(folder, `${digest}-${name}.sock`);
}

function canonical(home: string): string {
  try {
    return realpathSync(home);
  } catch {
    return resolve(home); // a home that is not made yet: no link in it can be followed
  }
}

function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  const { uid } = userInfo();
  // Anyone may make a folder in the shared temporary folder first: only our own, closed one may hold a control socket.
  if (!found.isDirectory() || (uid >= 0 && (found.uid !== uid || (found.mode & 0o077) !== 0))) {
    throw new StorageError(
      'PERMISSION_DENIED',
      `${folder} is not a folder that only you can enter: remove it, or use a peer home with a shorter path.`,
    );
  }
}
