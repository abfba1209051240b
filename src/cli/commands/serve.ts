import type { Command } from 'commander';
import type { Config } from '../../config.js';
import { StorageError } from '../../errors.js';
import { homeOf, type CommonOptions } from '../invocation.js';
import { readPassphraseFile } from '../passphrase.js';
import type { Runtime } from '../runtime.js';

interface ServeOptions extends CommonOptions {
  readonly listen?: string;
  readonly unlockFile?: string;
  readonly nginx?: string | true;
}

const AFTER = `
Runs in the foreground and logs to standard error until SIGINT or SIGTERM; a second signal ends it at once.

Without SERVICE it is the whole peer. With one it is that service alone: pouchdb (the document databases and their
replication), couchdb (of a backup host: everybody's databases), db-service (users and the catalog) or front (the only
public port, built in or nginx; the others then listen on unix sockets in the home). All processes of the home then need
the same SHOAL_SEPARATE, or "separate" in its config.json, so that the peer does not run it too.

Examples:
  shoal serve
  shoal serve --home /srv/shoal --listen 192.0.2.7:8443
  shoal serve --unlock-file /run/secrets/shoal-user
  SHOAL_SEPARATE=pouchdb shoal serve pouchdb
  SHOAL_SEPARATE=pouchdb shoal serve
  SHOAL_SEPARATE=front shoal serve front --nginx
  SHOAL_SEPARATE=front shoal serve
`;

export function defineServe(command: Command, runtime: Runtime): void {
  command
    .option('--listen <host:port>', 'where other peers reach this one (default: as in the home)')
    .option('--nginx [program]', 'of the service front: nginx instead of the built-in one')
    .option('--unlock-file <path>', 'unlock a user at once: a file with NAME:PASSPHRASE in it')
    .addHelpText('after', AFTER)
    .argument('[service]', 'pouchdb, couchdb or db-service: that alone')
    .action(async (service: string | undefined, _options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<ServeOptions>();
      const { readConfig } = await import('../../config.js');
      const config = readConfig({ home: homeOf(options, runtime.env), listen: options.listen }, runtime.env);
      if (service !== undefined) {
        await serveOne(service, config, { signal: runtime.signal, nginx: options.nginx });
        return;
      }
      const { Peer } = await import('../../peer/peer.js');
      const user = options.unlockFile === undefined ? undefined : await readUserFile(options.unlockFile);
      await using peer = await Peer.open(config);
      if (user !== undefined) await peer.sessions.unlock(user.name, user.passphrase);
      await peer.run(runtime.signal);
    });
}

interface ServingOne {
  readonly signal: AbortSignal;
  readonly nginx: string | true | undefined;
}

async function serveOne(name: string, config: Config, { signal, nginx }: ServingOne): Promise<void> {
  const { SERVICES } = await import('../../config.js');
  const service = SERVICES.find((known) => known === name);
  if (service === undefined) {
    throw new StorageError('INVALID_ARGUMENT', `There is no service "${name}". There are ${SERVICES.join(', ')}.`);
  }
  if (nginx !== undefined && service !== 'front') {
    throw new StorageError('INVALID_ARGUMENT', 'Only the front can be nginx: `shoal serve front --nginx`.');
  }
  const { serveAlone } = await import('../../peer/serve-alone.js');
  await using alone = await serveAlone(service, config, nginx === undefined ? {} : { nginx });
  await alone.run(signal);
}

async function readUserFile(path: string): Promise<{ readonly name: string; readonly passphrase: string }> {
  const text = await readPassphraseFile(path);
  const colon = text.indexOf(':'); // a user's name has none
  if (colon > 0) return { name: text.slice(0, colon), passphrase: text.slice(colon + 1) };
  throw new StorageError('INVALID_ARGUMENT', `${path} must hold the name of a user, a colon and the passphrase.`);
}
