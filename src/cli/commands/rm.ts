import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RemoveReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { pendingLines } from '../pending-lines.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

const NOTHING: RemoveReply = { files: 0, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] };

interface RmOptions {
  readonly recursive?: true;
  readonly force?: true;
  readonly forever?: true;
}

export function defineRm(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'remote files and folders')
    .option('-r, --recursive', 'folders with everything in them')
    .option('-f, --force', 'what is not there is fine')
    .option('--forever', 'not into the trash, and also from there')
    .addHelpText(
      'after',
      `
What is removed lies in the trash, and takes up room, until "shoal trash empty": see it with "shoal ls --deleted", take it
back with "shoal restore". With --forever its chunks are deleted, and each peer that has acknowledged that is named; the sealed
entry with the key of the file goes with "shoal user keys rotate".

Examples:
  shoal rm /photos/cat.jpg
  shoal rm -r --forever /photos
`,
    )
    .action(async (texts: string[], options: RmOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const paths = texts.map((text) => parseRemotePath(text).path);
      let removed = NOTHING;
      for (const path of paths) removed = together(removed, await remove(invocation, path, options));
      for (const line of pendingLines(removed)) invocation.note(line);
      invocation.result(removed, () => '');
    });
}

async function remove({ client }: Invocation, path: string, options: RmOptions): Promise<RemoveReply> {
  try {
    return await client.remove(path, { recursive: options.recursive === true, forever: options.forever === true });
  } catch (error) {
    if (options.force === true && StorageError.is(error, 'NOT_FOUND')) return NOTHING;
    throw error;
  }
}

/** What several removals come to: the homes wait for all of them, each peer has its part of each. */
function together(a: RemoveReply, b: RemoveReply): RemoveReply {
  const peers = new Map(a.peers.map((peer) => [peer.peer, peer]));
  for (const more of b.peers) {
    const { chunks = 0, waiting = 0 } = peers.get(more.peer) ?? {};
    peers.set(more.peer, { ...more, chunks: chunks + more.chunks, waiting: waiting + more.waiting });
  }
  return {
    files: a.files + b.files,
    pendingChunks: a.pendingChunks + b.pendingChunks,
    pendingHomes: Math.max(a.pendingHomes, b.pendingHomes),
    homes: [...new Set([...a.homes, ...b.homes])],
    peers: [...peers.values()],
  };
}
