import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import type { RepairsDone } from '../../src/gateways/http/audit-api.js';
import { MAX_GATHER_MS, QUIET_MS } from '../../src/documents/replication/pace.js';
import { StorageError } from '../../src/errors.js';
import { runCommand } from '../measure/command.js';
import { measure } from '../measure/use.js';
import type { BenchNetwork } from '../network.js';
import { quiet } from '../phases/quiet.js';
import type { Stage } from '../phases/stage.js';
import { timeoutFor } from '../phases/work.js';
import { lastLine } from './last-line.js';
import type { RepairResult } from './result.js';

/** Neither the source nor profiled: what it lacks is repaired. */
const ABSENT = 6;
const NAME = 'repaired';
/** Moves of chunks are gathered on their way to a host, and from there; then each replication writes its place down. */
const SETTLE_MS = 2 * MAX_GATHER_MS + QUIET_MS + 500;
const UP_TIMEOUT_MS = 60_000;
const UP_POLL_MS = 200;

/**
 * `shoal repair --now` of a file that was put while one of six peers was down: a chunk of each stripe has no holder. It is
 * rebuilt at that peer from k others, as is a chunk of a peer that is lost for good.
 */
export async function measureRepair(stage: Stage, network: BenchNetwork): Promise<RepairResult> {
  const { signal } = stage;
  const { path, bytes } = await stage.healedFile();
  await network.stopPeer(ABSENT);
  await runCommand(network.command(['put', path, join('/', NAME)], timeoutFor(bytes, 1)), signal);
  await network.startPeer(ABSENT);
  await using client = new ControlClient(network.source.home, { signal });
  await allUp(client);
  if (!(await quiet(network, signal)))
    stage.remark('repair: the peers were still busy with something else when it began.');
  // The peers repair by themselves, too, after a minute: only what is lacking now is measured.
  const lacking = await lackingAt(client);
  let stdout = Buffer.alloc(0);
  const use = await measure(
    () => network.cpuSeconds(),
    async () => {
      const ended = await runCommand(network.command(['repair', '--now', '--json'], timeoutFor(bytes, 1)), signal);
      stdout = Buffer.from(ended.stdout);
      return ended;
    },
    SETTLE_MS,
  );
  const { rebuilt, movedBytes, left, words } = lastLine(stdout) as RepairsDone;
  if (left > 0) stage.remark(`repair: not all could be repaired (${words}).`);
  if (rebuilt < lacking.chunks)
    stage.remark('repair: other peers were faster with some of it; its speed is not right.');
  return { ...use, count: rebuilt, bytes: lacking.bytes, movedBytes, left };
}

/** Its connections to a peer that was down are tried anew after a while. */
async function allUp(client: ControlClient): Promise<void> {
  const untilMs = performance.now() + UP_TIMEOUT_MS;
  while (!(await client.status()).peers.every(({ up }) => up)) {
    if (performance.now() > untilMs) throw new StorageError('TIMEOUT', 'A peer that was started again is not seen.');
    await sleep(UP_POLL_MS);
  }
}

async function lackingAt(client: ControlClient): Promise<{ readonly chunks: number; readonly bytes: number }> {
  const { stripes } = await client.where(join('/', NAME));
  const chunks = stripes.flatMap((stripe) => stripe.chunks.filter(({ peer }) => peer === null));
  return { chunks: chunks.length, bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0) };
}
