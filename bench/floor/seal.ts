import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { BLOCK_BYTES } from '../../src/limits.js';
import type { Work } from './cpu-per-gib.js';

const CIPHER = 'chacha20-poly1305';
const TAG = { authTagLength: 16 } as const;

/** A nonce of its own for every block, as in the format; which one makes no difference to the time. */
function nextNonce(nonce: Buffer, block: number): Buffer {
  nonce.writeUInt32BE(block, 4);
  return nonce;
}

/** ChaCha20-Poly1305 (RFC 8439) over blocks of 64 KiB, each by one call of node:crypto. */
export function sealWork(): Work {
  const key = randomBytes(32);
  const block = randomBytes(BLOCK_BYTES);
  const nonce = Buffer.alloc(12);
  return (bytes) => {
    for (let index = 0; index < bytes / BLOCK_BYTES; index++) {
      const cipher = createCipheriv(CIPHER, key, nextNonce(nonce, index), TAG);
      cipher.update(block);
      cipher.final();
      cipher.getAuthTag();
    }
  };
}

export function unsealWork(): Work {
  const key = randomBytes(32);
  const nonce = nextNonce(Buffer.alloc(12), 0);
  const cipher = createCipheriv(CIPHER, key, nonce, TAG);
  const sealed = cipher.update(randomBytes(BLOCK_BYTES));
  cipher.final();
  const tag = cipher.getAuthTag();
  return (bytes) => {
    for (let done = 0; done < bytes; done += BLOCK_BYTES) {
      const decipher = createDecipheriv(CIPHER, key, nonce, TAG);
      decipher.setAuthTag(tag);
      decipher.update(sealed);
      decipher.final();
    }
  };
}
