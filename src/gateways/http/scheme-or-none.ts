import { StorageError } from '../../errors.js';
import { schemeFor, type Scheme } from '../../peers/scheme.js';

/** A network that is too small to store anything still has a status: zeros. */
export function schemeOrNone(peers: number, tolerate: number | undefined): Scheme {
  try {
    return schemeFor(peers, tolerate);
  } catch (error) {
    if (StorageError.is(error, 'TOO_FEW_PEERS')) return { k: 0, m: 0 };
    throw error;
  }
}
