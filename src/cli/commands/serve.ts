import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { homeOf, type CommonOptions } from '../invocation.js';
import { readPassphraseFile } from '../passphrase.js';
import type { Runtime } from '../runtime.js';

interface ServeOptions extends CommonOptions {
  readonly listen?: string;
  readonly unlockFile?: string;
}

const AFTER = `
Runs in the foreground and logs to standard error until SIGINT or SIGTERM; a second signal ends it at once.

Examples:
  shoal serve
  shoal serve --home /srv/shoal --listen 192.0.2.7:8443
  shoal serve --unlock-file /run/secrets/shoal-user
`;

export function defineServe(command: Command, runtime: Runtime): void {
  command
    .option('--listen <host:port>', 'where other peers reach this one (default: as in the home)')
    .option('--unlock-file <path>', 'unlock a user at once: a file with NAME:PASSPHRASE in it')
    .addHelpText('after', AFTER)
    .action(async (_options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<ServeOptions>();
      const { readConfig } = await import('../../config.js');
      const { Peer } = await import('../../peer.js');
      const config = readConfig({ home: homeOf(options, runtime.env), listen: options.listen }, runtime.env);
      const user = options.unlockFile === undefined ? undefined : await readUserFile(options.unlockFile);
      await using peer = await Peer.open(config);
      if (user !== undefined) await peer.sessions.unlock(user.name, user.passphrase);
      await peer.run(runtime.signal);
    });
}

async function readUserFile(path: string): Promise<{ readonly name: string; readonly passphrase: string }> {
  const text = await readPassphraseFile(path);
  const colon = text.indexOf(':'); // a user's name has none
  if (colon > 0) return { name: text.slice(0, colon), passphrase: text.slice(colon + 1) };
  throw new StorageError('INVALID_ARGUMENT', `${path} must hold the name of a user, a colon and the passphrase.`);
}
