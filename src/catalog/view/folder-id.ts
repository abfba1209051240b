import { createHash } from 'node:crypto';
import { toHex, u32, utf8 } from '../../bytes.js';
import { idBytes, SHORT_ID_BYTES } from '../../chunk/ids.js';
import { derive } from '../../crypto/kdf.js';
import { DERIVE } from '../../crypto/labels.js';
import type { UserKeys } from '../../crypto/root-key.js';

/** 128 bits of HKDF over the parent, a number and the name. */
export function folderIdOf(keys: UserKeys): (parent: string, name: string, generation: number) => string {
  return (parent, name, generation) => {
    const context = createHash('sha256').update(idBytes(parent)).update(u32(generation)).update(utf8(name)).digest();
    return toHex(derive(keys.catalogKey, DERIVE.folder, { bytes: SHORT_ID_BYTES, context }));
  };
}
