import type { Fault, FaultKind } from '../fault.js';
import { clock } from './clock.js';
import { cutOff } from './cut-off.js';
import { deleteFiles } from './delete-files.js';
import { flipChunkBits } from './flip-bits.js';
import { flipIndex } from './flip-index.js';
import { fullDisk } from './full-disk.js';
import { kill } from './kill.js';
import { falseDeletes, falseHolding, wrongBytes } from './lies.js';
import { loseDisk } from './lose-disk.js';
import { oldCouch } from './old-couch.js';
import { isolate, split } from './partition.js';
import { pause } from './pause.js';
import { restart } from './restart.js';
import { slowDisk } from './slow-disk.js';
import { slow } from './slow.js';
import { truncateFiles } from './truncate-files.js';

export const FAULTS: Readonly<Record<FaultKind, Fault>> = {
  kill,
  pause,
  restart,
  'cut-off': cutOff,
  isolate,
  split,
  slow,
  'slow-disk': slowDisk,
  'full-disk': fullDisk,
  clock,
  'old-couch': oldCouch,
  'wrong-bytes': wrongBytes,
  'false-deletes': falseDeletes,
  'flip-bits': flipChunkBits,
  'truncate-files': truncateFiles,
  'delete-files': deleteFiles,
  'flip-index': flipIndex,
  'lose-disk': loseDisk,
  'false-holding': falseHolding,
};
