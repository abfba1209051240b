import type { Fault, FaultKind } from '../fault.js';
import { cutOff } from './cut-off.js';
import { deleteFiles } from './delete-files.js';
import { flipChunkBits } from './flip-bits.js';
import { flipIndex } from './flip-index.js';
import { fullDisk } from './full-disk.js';
import { kill } from './kill.js';
import { loseDisk } from './lose-disk.js';
import { pause } from './pause.js';
import { restart } from './restart.js';
import { slow } from './slow.js';
import { truncateFiles } from './truncate-files.js';

export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  kill,
  pause,
  restart,
  'cut-off': cutOff,
  slow,
  'full-disk': fullDisk,
  'flip-bits': flipChunkBits,
  'truncate-files': truncateFiles,
  'delete-files': deleteFiles,
  'flip-index': flipIndex,
  'lose-disk': loseDisk,
};
