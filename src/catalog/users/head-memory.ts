import type { UserId } from '../../chunk/ids.js';
import type { RecordMemory } from '../../store/record-memory.js';
import type { HeadMemory } from '../view/head-keeper.js';

/** What a peer's memory has of one user's catalog. */
export function headMemory(memory: RecordMemory, user: UserId): HeadMemory {
  return {
    list: () => memory.heads(user),
    put: (heads) => memory.putHeads(user, heads),
    forget: () => memory.forgetHeads(user),
  };
}
