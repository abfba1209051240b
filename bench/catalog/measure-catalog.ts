import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { ControlClient } from '../../src/cli/control-client.js';
import { createLayout, DEFAULT_PEERS } from '../../src/cli/devnet/layout.js';
import type { BenchOptions } from '../options.js';
import { assert } from '../../src/errors.js';
import { REMOVAL_POLL_MS, STATE_AFTER_CHANGES } from '../../src/limits.js';
import { readIdentity } from '../../src/home.js';
import { provisionDevnet } from '../../src/provision.js';
import { idle } from '../measure/idle.js';
import { peakBytes, residentBytes } from '../measure/processes.js';
import type { Stage } from '../phases/stage.js';
import { PeerServices } from './peer-services.js';
import type { CatalogResult, Rate } from './result.js';
import { Samples } from './samples.js';
import { ServiceProcess } from './service-process.js';
import { changeMs, countDocuments, initialSync, type Side } from './sync.js';
import { weighCatalog } from './weights.js';
import { rate, writeBatched, writeSingly, writeTogether, type Writing } from './writes.js';

/** Commits that wait for each other are slow: some are enough. */
const MOST_SINGLE = 2_000;
const MOST_REMOVED = 10_000;
/** Of all entries, those that are removed; of all documents, those that are written one after the other. */
const SHARE = 10;
const FOLDER_ENTRIES = 10_000;
/** A million entries take less. */
const SUM_TIMEOUT_MS = 120_000;

/** How many files are written in which way. */
interface Plan {
  readonly single: number;
  readonly together: number;
  readonly batched: number;
  /** Of the batched ones, those that are removed later. */
  readonly removed: number;
}

/** A file that is committed alone is a document; batches make up the rest of the entries, and what is removed. */
function planOf({ entries, documents }: BenchOptions): Plan {
  const removed = Math.min(MOST_REMOVED, Math.ceil(entries / SHARE));
  const single = Math.min(MOST_SINGLE, Math.ceil(documents / SHARE));
  return { single, together: documents - single, batched: Math.max(removed, entries - documents), removed };
}

/** Homes of a whole network, of which the backup host and two peers run. */
interface Homes {
  readonly host: string;
  readonly source: string;
  readonly newcomer: string;
  readonly members: readonly Membership[];
}

/** What the catalog costs: written at one peer, brought to the backup host, fetched from there by another. */
export async function measureCatalog(stage: Stage): Promise<CatalogResult> {
  const { signal } = stage;
  const plan = planOf(stage.options);
  const homes = await makeHomes(stage);
  await using source = new PeerServices(homes.source, signal);
  const written = await fill(stage, { source, homes, plan });
  const { session } = written;
  stage.say('new processes unlock them');
  const reading = await unlockCold(stage, source, plan);
  const documents = await countDocuments(source, session);
  await source.stop();
  stage.say(`${documents.toLocaleString('en-US')} documents to the backup host`);
  await using host = await startHost(homes.host, signal);
  await source.startDocuments();
  const cpuSeconds = (): number => host.cpuSeconds() + source.cpuSeconds();
  const push = await initialSync({ services: source, session, direction: 'push', documents, cpuSeconds, signal });
  await source.stop();
  const sync = await pullAndChange(stage, { homes, host, source, documents, removed: plan.removed });
  const { length: stripePeers } = homes.members;
  const entries = plan.single + plan.together + plan.batched;
  return { entries, stripePeers, ...written.figures, ...reading, push, ...sync };
}

async function makeHomes({ workshop }: Stage): Promise<Homes> {
  const policy = { peers: DEFAULT_PEERS, backupHosts: 1 };
  const { peers } = await createLayout(join(workshop.folder, 'catalog'), policy, provisionDevnet);
  const [host, source, newcomer] = peers.map(({ home }) => home);
  assert(host !== undefined && source !== undefined && newcomer !== undefined, 'homes of three peers');
  const identities = await Promise.all(peers.map(({ home }) => readIdentity(home)));
  return { host, source, newcomer, members: identities.map(({ membership }) => membership) };
}

type Written = Pick<CatalogResult, 'weights' | 'single' | 'together' | 'batched'>;

async function fill(
  stage: Stage,
  { source, homes, plan }: { readonly source: PeerServices; readonly homes: Homes; readonly plan: Plan },
): Promise<{ readonly session: Session; readonly figures: Written }> {
  await source.startDocuments();
  const catalog = await source.startCatalog();
  const session = await source.unlock(catalog);
  const samples = new Samples(catalog, session, homes.members);
  const cpuSeconds = (): number => source.cpuSeconds();
  const writing: Writing = { catalog, session, samples, cpuSeconds, signal: stage.signal };
  stage.say('catalog: what files weigh in it');
  const weights = await weighCatalog(writing, source.host);
  stage.say('files are written');
  const single = await writeSingly(writing, { folder: '/single', count: plan.single, atOnce: 1 });
  const together = await writeTogether(writing, '/together', plan.together);
  const batched = await writeBatched(writing, plan.batched, (index) => folderOf(index, plan));
  await source.stopCatalog();
  return { session, figures: { weights, single, batched, together } };
}

function folderOf(index: number, { removed }: Plan): string {
  return index < removed ? '/removed' : `/batched-${String(Math.floor(index / FOLDER_ENTRIES))}`;
}

type Reading = Pick<CatalogResult, 'unlock' | 'unlockAgain' | 'list' | 'memory'>;

/** In processes that know nothing yet; what they read is still in the system's cache. */
async function unlockCold(stage: Stage, source: PeerServices, plan: Plan): Promise<Reading> {
  const cpuSeconds = (): number => source.cpuSeconds();
  const first = await open(source);
  // It sums up what it has read, for later unlocks. While it waits for the disk it looks idle.
  const isWorthIt = plan.single + plan.together >= STATE_AFTER_CHANGES;
  const isDone = async (): Promise<boolean> => !isWorthIt || (await source.isSummedUp());
  if (!(await idle(cpuSeconds, { timeoutMs: SUM_TIMEOUT_MS, signal: stage.signal }, isDone))) {
    stage.remark('The catalog was not summed up in time: the second unlock does not show what that is worth.');
  }
  await source.stopCatalog();
  const second = await open(source);
  const listed: number[] = [];
  const list = await rate(cpuSeconds, 1, async () => listed.push((await listAll(second)).length));
  const [count = 0] = listed;
  const memory = {
    beforeBytes: second.residentBytes,
    unlockedBytes: residentBytes(source.servicePid) ?? 0,
    peakBytes: peakBytes(source.servicePid) ?? 0,
  };
  await source.stopCatalog();
  const counted = (one: Rate): Rate => ({ ...one, count });
  return { unlock: counted(first.unlock), unlockAgain: counted(second.unlock), list: counted(list), memory };
}

function listAll({ catalog, session }: Side): ReturnType<Side['catalog']['list']> {
  return catalog.list(session, '/', { recursive: true });
}

/** A whole peer, so that everything comes through its TLS front. */
async function startHost(home: string, signal: AbortSignal): Promise<ServiceProcess> {
  await using client = new ControlClient(home, { signal });
  return await ServiceProcess.start({ home, signal }, async () => (await client.status()).users.length > 0);
}

interface Network {
  readonly homes: Homes;
  readonly host: ServiceProcess;
  readonly source: PeerServices;
  /** At the backup host. */
  readonly documents: number;
  readonly removed: number;
}

async function pullAndChange(
  stage: Stage,
  { homes, host, source, documents, removed }: Network,
): Promise<Pick<CatalogResult, 'pull' | 'change' | 'removal'>> {
  const { signal } = stage;
  await using newcomer = new PeerServices(homes.newcomer, signal);
  await newcomer.startDocuments();
  stage.say('and from there to another peer');
  const to = await open(newcomer);
  const pulling = (): number => host.cpuSeconds() + newcomer.cpuSeconds();
  const watch = { services: newcomer, session: to.session, documents, cpuSeconds: pulling, signal };
  const pull = await initialSync({ ...watch, direction: 'pull' });
  await source.startDocuments();
  const from = await open(source);
  const samples = new Samples(from.catalog, from.session, homes.members);
  const ends = { from, samples, to };
  stage.say('small changes');
  const all = (): number => pulling() + source.cpuSeconds();
  // What the unlocks have begun must not keep the first changes waiting.
  await idle(all, { timeoutMs: SUM_TIMEOUT_MS, signal });
  const beforeMs = await changeMs(ends, '/before', signal);
  const cpuSeconds = (): number => source.cpuSeconds();
  const removal = await rate(cpuSeconds, removed, () => removeForever(from, signal));
  await idle(all, { timeoutMs: SUM_TIMEOUT_MS, signal });
  const afterMs = await changeMs(ends, '/after', signal);
  return { pull, removal, change: { removed, beforeMs, afterMs } };
}

/** Announces the removal, and carries it out when every home has answered. */
async function removeForever({ catalog, session }: Side, signal: AbortSignal): Promise<void> {
  await catalog.remove(session, '/removed', { recursive: true, forever: true });
  let { due, waitingFor } = await catalog.dueRemovals(session);
  while (due.length > 0 || waitingFor.length > 0) {
    if (due.length > 0)
      await catalog.carryOutRemovals(
        session,
        due.map(({ node }) => node),
      );
    else await delay(REMOVAL_POLL_MS, undefined, { signal });
    ({ due, waitingFor } = await catalog.dueRemovals(session));
  }
}

interface Opened extends Side {
  /** Of the DB Service, before. */
  readonly residentBytes: number;
  /** One unlock. */
  readonly unlock: Rate;
}

async function open(services: PeerServices): Promise<Opened> {
  const catalog = await services.startCatalog();
  const before = residentBytes(services.servicePid) ?? 0;
  const opened: Session[] = [];
  const cpuSeconds = (): number => services.cpuSeconds();
  const unlock = await rate(cpuSeconds, 1, async () => opened.push(await services.unlock(catalog)));
  const [session] = opened;
  assert(session !== undefined, 'a session');
  return { catalog, session, residentBytes: before, unlock };
}
