import type { Config } from '../config.js';
import type { Links } from '../gateways/web/links.js';
import { onAbort } from '../on-abort.js';
import type { Runtime } from './runtime.js';

/** Whether `shoal serve` finds an empty home, and may ask in a browser what to make of it. */
export async function isFirstRun(config: Config): Promise<boolean> {
  if (config.web === 'off' || config.separate.length > 0) return false;
  const { isWithoutPeer } = await import('../peer/setup.js');
  return await isWithoutPeer(config.home);
}

/**
 * Shows where to set the peer up, and waits until somebody has done so there.
 *
 * @returns the links of the peer's own web UI, with the one in it that this browser goes on with
 */
export async function setUpInBrowser(config: Config, runtime: Runtime): Promise<Links> {
  const { Setup } = await import('../peer/setup.js');
  const { SetupServer } = await import('../gateways/web/setup-server.js');
  const { Links } = await import('../gateways/web/links.js');
  const { openLogger } = await import('../log.js');
  const logger = openLogger(config.log);
  const setup = new Setup({ config, logger, nowMs: Date.now });
  const { web: address, webHosts: hosts } = config;
  await using server = await SetupServer.open({ address, hosts, setup, logger, now: Date.now });
  const place = address.replace(/:\d+$/, `:${String(server.port)}`);
  runtime.stdout.write(
    `There is no peer in ${config.home} yet. Open this in a browser of this machine to make one:\n\n  http://${place}/#link=${server.link}\n\nIt works once; Ctrl-C ends it.\n`,
  );
  const link = await untilMade(setup.finished, runtime.signal);
  const links = new Links(Date.now);
  links.add(link, undefined);
  return links;
}

/** @throws the signal's reason when that comes first */
async function untilMade(finished: Promise<string>, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => reject(signal.reason as Error));
    void finished.then((link) => {
      stop();
      resolve(link);
    });
  });
}
