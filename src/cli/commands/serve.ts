import { Option, type Command } from 'commander';
import { Counts } from '../../counts.js';
import { StorageError } from '../../errors.js';
import { homeOf, type CommonOptions } from '../invocation.js';
import { readPassphraseFile } from '../passphrase.js';
import { SERVICES, type Service } from '../../services/service-names.js';
import type { Links } from '../../gateways/web/links.js';
import type { Runtime } from '../runtime.js';

interface ServeOptions extends CommonOptions {
  readonly listen?: string;
  readonly unlockFile?: string;
  readonly nginx?: string | true;
  readonly check?: 'live' | 'ready';
}

const AFTER = `
Runs in the foreground and logs to standard error until SIGINT or SIGTERM; a second signal ends it at once.

In a home without a peer it prints a link: in the browser that opens it you make a network there, or join one, and the peer
starts. With SHOAL_WEB=off it does not: use \`shoal network create\` or \`shoal peer join\` first.

Without SERVICE it is the whole peer, in one process. With one it is that service alone:

  pouchdb        the document databases and their replication
  couchdb        of a backup host: everybody's databases
  db-service     users and the catalog; needs pouchdb apart
  file-receiver  takes in chunks of other peers, and fetches files; needs front apart
  file-sender    puts files, and sends chunks to other peers; needs front apart
  front          the only public port, built in or nginx; the others then listen on unix sockets in the home
  gateway        what the command line talks to

All processes of the home need the same SHOAL_SEPARATE, or "separate" in its config.json, so that no service runs twice.
They may be started in any order. --check asks the process that runs the service, and exits with 0 or 1: \`live\` when it
answers, \`ready\` when also the services that it needs do.

Examples:
  shoal serve
  shoal serve --home /srv/shoal --listen 192.0.2.7:8443
  shoal serve --unlock-file /run/secrets/shoal-user
  SHOAL_SEPARATE=pouchdb shoal serve pouchdb
  SHOAL_SEPARATE=pouchdb shoal serve
  SHOAL_SEPARATE=front shoal serve front --nginx
  SHOAL_SEPARATE=front shoal serve
  shoal serve file-sender --check
`;

export function defineServe(command: Command, runtime: Runtime): void {
  command
    .option('--listen <host:port>', 'where other peers reach this one (default: as in the home)')
    .option('--nginx [program]', 'of the service front: nginx instead of the built-in one')
    .option('--unlock-file <path>', 'unlock a user at once: a file with NAME:PASSPHRASE in it')
    .addHelpText('after', AFTER)
    .addOption(
      new Option('--check [what]', 'only ask the running process: is it live, or ready (exit code 0 or 1)')
        .choices(['live', 'ready'])
        .preset('ready'),
    )
    .argument('[service]', `${SERVICES.join(', ')}: that alone`)
    .action(async (service: string | undefined, _options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<ServeOptions>();
      const { readConfig } = await import('../../config.js');
      const home = homeOf(options, runtime.env);
      let config = readConfig({ home, listen: options.listen }, runtime.env);
      const alone = service === undefined ? undefined : serviceNamed(service);
      if (options.check !== undefined) {
        const { checkService } = await import('../check-service.js');
        await checkService(config, { service: alone, ...options, signal: runtime.signal });
        return;
      }
      if (options.nginx !== undefined && alone !== 'front') {
        throw new StorageError('INVALID_ARGUMENT', 'Only the front can be nginx: `shoal serve front --nginx`.');
      }
      const { isFirstRun, setUpInBrowser } = await import('../first-run.js');
      let links: Links | undefined;
      if (alone === undefined && (await isFirstRun(config))) {
        links = await setUpInBrowser(config, runtime);
        // What was decided there lies in the home's settings by now.
        config = readConfig({ home }, runtime.env);
      }
      const { Peer } = await import('../../peer/peer.js');
      const { openTracer } = await import('../../peer/tracing.js');
      const user = options.unlockFile === undefined ? undefined : await readUserFile(options.unlockFile);
      const { signal } = runtime;
      const { nginx } = options;
      await using tracer = await openTracer(runtime.env, alone ?? 'peer');
      const telemetry = { counts: new Counts(), tracer };
      await using peer = await Peer.open(config, {
        ...{ signal, telemetry, ...(alone && { alone }), ...(nginx && { nginx }), ...(links && { links }) },
      });
      if (user !== undefined) await peer.sessions.unlock(user.name, user.passphrase);
      await peer.run(signal);
    });
}

function serviceNamed(name: string): Service {
  const service = SERVICES.find((known) => known === name);
  if (service !== undefined) return service;
  throw new StorageError('INVALID_ARGUMENT', `There is no service "${name}". There are ${SERVICES.join(', ')}.`);
}

async function readUserFile(path: string): Promise<{ readonly name: string; readonly passphrase: string }> {
  const text = await readPassphraseFile(path);
  const colon = text.indexOf(':'); // a user's name has none
  if (colon > 0) return { name: text.slice(0, colon), passphrase: text.slice(colon + 1) };
  throw new StorageError('INVALID_ARGUMENT', `${path} must hold the name of a user, a colon and the passphrase.`);
}
