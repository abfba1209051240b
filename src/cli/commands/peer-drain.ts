import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DrainReply } from '../../gateways/http/network-api.js';
import { drainLeft, drainSummary } from '../drain-words.js';
import { Invocation } from '../invocation.js';
import { NetworkClient } from '../network-client.js';
import { printable } from '../printable.js';
import { openQuietBar } from '../quiet-bar.js';
import type { Runtime } from '../runtime.js';

/** How often `shoal peer drain` looks how far it is. */
const DRAIN_WATCH_MS = 1_000;

const AFTER = `
It gets nothing new, its chunks are copied at once to peers that hold none of their stripes, and when it has nothing left that no
other peer has, it is put out of the network. It has to run meanwhile. Before anything moves this refuses when chunks have no
other place, as in a network of up to 16 peers, where each holds a chunk of every stripe: invite a new machine first, or let it
leave without them with --force. A peer that is silent and could take some is waited for all the same, until it is gone. Ctrl-C
ends the watching only; the same command watches again.

Examples:
  shoal peer drain attic
  shoal peer drain attic --force
  shoal peer drain attic --cancel
  shoal peer drain attic --json
`;

interface DrainOptions {
  readonly cancel?: true;
  readonly force?: true;
}

export function definePeerDrain(command: Command, runtime: Runtime): void {
  command
    .description('have the others take over what a peer holds, then put it out of the network')
    .argument('<peer>', 'its name, or the first digits of its id')
    .option('--cancel', 'it stays after all')
    .option('--force', 'it leaves even where a chunk has no other place, if its stripe can do without')
    .addHelpText('after', AFTER)
    .action(async (meant: string, options: DrainOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      const cancel = options.cancel === true;
      const begun = await begin(invocation, client, { peer: meant, force: options.force === true, cancel });
      const end = cancel ? begun : await watch(invocation, client, begun);
      invocation.result(end, () => drainSummary(end));
    });
}

async function begin(
  invocation: Invocation,
  client: NetworkClient,
  request: Parameters<NetworkClient['drainPeer']>[0],
): Promise<DrainReply> {
  try {
    return await client.drainPeer(request);
  } catch (error) {
    if (invocation.runtime.signal.aborted) {
      invocation.note(`\`shoal peer list\` says whether ${printable(request.peer)} was told to leave by then.`);
    }
    throw error;
  }
}

/** Until it has left, or stays after all. With --json each change is a line. */
async function watch(invocation: Invocation, client: NetworkClient, begun: DrainReply): Promise<DrainReply> {
  const { signal } = invocation.runtime;
  const { id, name } = begun.peer;
  const bar = await openQuietBar(invocation, `${printable(name)}  {bar}  {percentage}%  {left}`);
  let now = begun;
  let told = '';
  let reason: string | null = null;
  try {
    while (now.phase === 'leaving') {
      const line = JSON.stringify(now);
      if (invocation.json && line !== told) invocation.result(now, () => '');
      told = line;
      bar?.setTotal(Math.max(1, now.totalBytes));
      bar?.update(now.left === null ? 0 : now.totalBytes - now.left.bytes, { left: drainLeft(now) });
      if (now.reason !== null && now.reason !== reason) invocation.note(printable(now.reason));
      reason = now.reason;
      await delay(DRAIN_WATCH_MS, undefined, { signal });
      // What stayed is not known any more when it has left.
      const { staying, forced } = now;
      now = { ...(await client.drainOf(id)), staying, forced };
    }
    return now;
  } catch (error) {
    if (signal.aborted) {
      const force = now.forced ? ' --force' : '';
      invocation.note(
        `${printable(name)} goes on leaving. \`shoal peer drain ${printable(name)}${force}\` watches it again, and --cancel has it stay.`,
      );
    }
    throw error;
  } finally {
    bar?.stop();
  }
}
