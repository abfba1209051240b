import { chmod } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { readIfThere, writeDurably } from '../../durable-file.js';
import { StorageError, wrapError } from '../../errors.js';

/** ssh2 1.17 cuts zero bytes off the front of a public key, as one of 256 has, and does not read that; ten in a row are no chance. */
const KEY_TRIES = 10;

/** Makes a key pair as OpenSSH writes it. */
export type KeyMaker = () => { readonly public: string; readonly private: string };

/**
 * The server's own Ed25519 key, made when it is not there; only its owner reads the file. Beside it lies `.pub`, by which clients may
 * know the server before they meet it.
 *
 * @throws StorageError CORRUPT for a file that holds no key; INTERNAL when no key that is made can be read
 */
export async function readHostKey(path: string, make: KeyMaker = makeKey): Promise<string> {
  const known = await readIfThere(path);
  if (known === undefined) {
    const made = makeReadable(path, make);
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

function makeKey(): ReturnType<KeyMaker> {
  return ssh2.utils.generateKeyPairSync('ed25519', { comment: 'shoal' });
}

/** Now and then ssh2 writes a key that it does not read: then another one is made. */
function makeReadable(path: string, make: KeyMaker): ReturnType<KeyMaker> {
  for (let tries = 0; tries < KEY_TRIES; tries++) {
    const made = make();
    if (isHostKey(made.private)) return made;
  }
  throw new StorageError(
    'INTERNAL',
    `Of ${String(KEY_TRIES)} host keys that were made none can be read. Put one there: ssh-keygen -t ed25519 -N '' -f ${path}`,
  );
}

function isHostKey(text: string): boolean {
  const key = ssh2.utils.parseKey(text);
  return !(key instanceof Error) && key.type === 'ssh-ed25519' && key.isPrivateKey();
}
