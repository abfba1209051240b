import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/cli/devnet/peer-process.js';
import { StorageError } from '../../src/errors.js';
import { timeLimit } from '../../src/time-limit.js';
import type { Floor, FloorOptions } from './floor.js';

const PROGRAM = fileURLToPath(new URL('floor-process.js', import.meta.url));
/** Three runs of nine primitives take less than a minute where a disk writes 50 MB/s. */
const TIMEOUT_MS = 600_000;

/** Measures under the flags that peers run with. @throws StorageError INTERNAL; after an abort the signal's reason */
export async function runFloor(options: FloorOptions, signal: AbortSignal): Promise<Floor> {
  signal.throwIfAborted();
  const child = fork(PROGRAM, [], { execArgv: [...NODE_FLAGS] });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  using limit = timeLimit(TIMEOUT_MS, signal);
  const ended = limit.signal;
  ended.addEventListener('abort', kill, { once: true });
  const answers: Floor[] = [];
  child.once('message', (floor) => answers.push(floor as Floor));
  child.send(options);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    const [floor] = answers;
    if (floor !== undefined) return floor;
    throw new StorageError('INTERNAL', `The floor could not be measured (exit code ${String(code)}): see above.`);
  } finally {
    ended.removeEventListener('abort', kill);
  }
}
