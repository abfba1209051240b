import type { Command } from 'commander';
import { homeOf, type CommonOptions } from '../invocation.js';
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
`;

export function defineServe(command: Command, runtime: Runtime): void {
  command
    .option('--listen <host:port>', 'where other peers reach this one (default: as in the home)')
    .option('--unlock-file <path>', 'unlock a user at once: a file with the name, a colon and the passphrase')
    .addHelpText('after', AFTER)
    .action(async (_options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<ServeOptions>();
      const { Peer } = await import('../../peer.js');
      const { readConfig } = await import('../../config.js');
      const config = readConfig({ home: homeOf(options, runtime.env), listen: options.listen }, runtime.env);
      await using peer = await Peer.open(config, {});
      await peer.run(runtime.signal);
    });
}
