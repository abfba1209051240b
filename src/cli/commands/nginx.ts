import type { Command } from 'commander';
import { homeOf, type CommonOptions } from '../invocation.js';
import type { Runtime } from '../runtime.js';

interface NginxOptions extends CommonOptions {
  readonly listen?: string;
}

const AFTER = `
It is what \`shoal serve front --nginx\` writes into the home and runs. Printed, it is for whoever runs nginx otherwise: the
services behind it then need "front" in SHOAL_SEPARATE, and nginx has to run as the user that the home belongs to.

Examples:
  shoal nginx > shoal.conf && mkdir -p ~/.shoal/nginx
  nginx -c "$PWD/shoal.conf" -g 'daemon off;'
  SHOAL_SEPARATE=front shoal serve front --nginx
`;

export function defineNginx(command: Command, runtime: Runtime): void {
  command
    .option('--listen <host:port>', 'where other peers reach this one (default: as in the home)')
    .addHelpText('after', AFTER)
    .action(async (_options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<NginxOptions>();
      const { readConfig } = await import('../../config.js');
      const { readIdentity } = await import('../../home.js');
      const { nginxSettings } = await import('../../peer/front-service.js');
      const { nginxConfig } = await import('../../front/nginx-config.js');
      const home = homeOf(options, runtime.env);
      // A configuration for a folder that is no peer's home would name files that are not there.
      await readIdentity(home);
      const settings = nginxSettings(readConfig({ home, listen: options.listen }, runtime.env));
      runtime.stdout.write(nginxConfig({ ...settings, version: await installedVersion() }));
    });
}

/** The oldest that will do, where none is installed: newer ones take it, too. */
async function installedVersion(): Promise<readonly [number, number, number]> {
  const { findNginx, OLDEST_NGINX } = await import('../../front/nginx-program.js');
  const { StorageError } = await import('../../errors.js');
  try {
    return (await findNginx()).version;
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND', 'UNSUPPORTED')) return OLDEST_NGINX;
    throw error;
  }
}
