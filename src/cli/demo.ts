/** The entry of `npm start`: six peers store a real file, two are killed, and the file comes back. */
import { once } from 'node:events';
import { DEMO_HELP, parseDemoOptions, type DemoOptions } from './demo/options.js';
import { play } from './demo/play.js';
import { Stage } from './demo/stage.js';
import { ControlClient } from './control-client.js';
import type { Devnet } from './devnet/devnet.js';
import { runProcess } from './run-process.js';
import type { Runtime } from './runtime.js';

await runProcess(async (runtime) => {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options === undefined) runtime.stdout.write(DEMO_HELP);
  else await demonstrate(options, runtime);
});

async function demonstrate(options: DemoOptions, runtime: Runtime): Promise<void> {
  await using stage = await Stage.open(options.directory);
  const devnet = await play(options, stage, runtime);
  if (options.once) return;
  runtime.stdout.write(await invitation(devnet, runtime.signal));
  await untilAborted(runtime.signal);
  runtime.stdout.write('\nStopping the peers and cleaning up.\n');
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000); // nothing else keeps the process alive while it waits
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    clearInterval(alive);
  }
}

async function invitation(devnet: Devnet, signal: AbortSignal): Promise<string> {
  const { directory } = devnet.layout;
  const { home } = devnet.peer(1);
  await using client = new ControlClient(home, { signal });
  const { url } = await client.webLink();
  return `
The network stays up until Ctrl-C. Look at it in a browser; this link signs one in as the user demo, once, within ten minutes:

  ${url}

Or in another terminal, from this folder:

  export SHOAL_HOME=${home}
  ./bin/shoal web
  ./bin/shoal status
  ./bin/shoal ls /
  ./bin/shoal where /project/package.json
  ./bin/shoal put README.md /
  ./bin/shoal devnet status --dir ${directory}
  ./bin/shoal devnet start ${String(devnet.layout.peers.length)} --dir ${directory}
`;
}
