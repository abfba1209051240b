import { chmod } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { readIfThere, writeDurably } from '../../durable-file.js';
import { StorageError, wrapError } from '../../errors.js';

/**
 * The server's own Ed25519 key, made when it is not there; only its owner reads the file. Beside it lies `.pub`, by which clients may
 * know the server before they meet it.
 *
 * @throws StorageError CORRUPT for a file that holds no key
 */
export async function readHostKey(path: string): Promise<string> {
  const known = await readIfThere(path);
  if (known === undefined) {
    const made = makeKey();
    await writeDurably(`${path}.pub`, `${made.public}\n`);
    await writeDurably(path, made.private);
    return made.private;
  }
  if (!isHostKey(known)) {
    throw new StorageError(
      'CORRUPT',
      `${path} holds no Ed25519 key. Restore it; or delete it, and a new one is made, of which clients will warn.`,
    );
  }
  try {
    await chmod(path, 0o600);
  } catch (error) {
    throw wrapError(error, `Closing ${path} to others`);
  }
  return known;
}

/** Now and then ssh2 1.17 writes a key that it does not read: then another one is made. */
function makeKey(): { readonly public: string; readonly private: string } {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'shoal' });
    if (isHostKey(made.private)) return made;
  }
}

function isHostKey(text: string): boolean {
  const key = ssh2.utils.parseKey(text);
  return !(key instanceof Error) && key.type === 'ssh-ed25519' && key.isPrivateKey();
}
