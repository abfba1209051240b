import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import type { Command } from 'commander';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';

const AFTER = `
Prints the address of the web UI, with a link that signs in one browser as the unlocked user: once, within ten minutes. On a
machine with a display a browser opens it, unless --no-open is given. Where nobody is unlocked it is the address alone.

Examples:
  shoal web
  shoal web --user alice --no-open
  ssh -L 8484:127.0.0.1:8484 nas shoal web
`;

export function defineWeb(command: Command, runtime: Runtime): void {
  command
    .option('--no-open', 'only print it')
    .addHelpText('after', AFTER)
    .action(async (options: { open: boolean }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const link = await invocation.client.webLink();
      invocation.result(link, () => link.url);
      if (link.expires === null) {
        invocation.note('Nobody is unlocked at this peer: sign in there with a name and a passphrase.');
      } else {
        invocation.note(`It signs in one browser, once, until ${new Date(link.expires).toLocaleTimeString('en-GB')}.`);
      }
      if (options.open && !invocation.json) openBrowser(link.url, runtime.env);
    });
}

/** Where there is a display. That no browser comes is no failure: the address is printed. */
function openBrowser(url: string, env: Runtime['env']): void {
  const hasDisplay = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
  if (platform() !== 'darwin' && !hasDisplay) return;
  const child = spawn(platform() === 'darwin' ? 'open' : 'xdg-open', [url], { detached: true, stdio: 'ignore' });
  child.once('error', () => undefined);
  child.unref();
}
