// @ts-check
/**
 * npm run test:containers: builds the image, brings up the six peers of deploy/compose.yaml as anybody would, stores and
 * fetches 200 MB, kills a container of each kind, restarts everything, and looks for all data. Needs a Docker engine and Compose
 * (1.29 or v2); not part of `npm test`. What it made is removed in the end, whatever happened; `--keep` leaves it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { ComposeNetwork, run } from './compose.mjs';

const BIG_BYTES = 200e6;
const PART_BYTES = 1 << 20;
/** From the start of the last container on; two cores start 33 processes in about one minute. */
const HEALTHY_MS = 5 * 60_000;
const PASSPHRASE = 'nine herons wade through the ford';
const PROJECT = `shoal-test-${randomBytes(3).toString('hex')}`;
const GATEWAY = 'peer-1-gateway';

/** A container of each kind; those of the peer where people work stay up, so that its gateway can be asked. */
const KINDS = [
  'peer-3-front',
  'peer-3-file-sender',
  'peer-3-file-receiver',
  'peer-3-db-service',
  'peer-3-pouchdb',
  'peer-2-couchdb',
  GATEWAY,
];

const counts = { passed: 0, failed: 0, skipped: 0 };
const { COUCHDB_IMAGE } = process.env;
const couchdb = COUCHDB_IMAGE
  ? {
      COUCHDB_IMAGE,
      COUCHDB_PASSWORD: randomBytes(16).toString('hex'),
      COUCHDB_SECRET: randomBytes(32).toString('hex'),
    }
  : {};
const network = new ComposeNetwork(PROJECT, { SHOAL_IMAGE: PROJECT, ...couchdb });
/** Path in Shoal → SHA-256 of what was put there. @type {Map<string, string>} */
const stored = new Map();

/**
 * @param {string} name
 * @param {() => Promise<string | void>} work what it returns is said behind the name
 */
async function step(name, work) {
  const started = Date.now();
  const end = () => `${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${name}`;
  try {
    const said = await work();
    counts.passed++;
    console.log(`ok   ${end()}${said ? `: ${said}` : ''}`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL ${end()}\n${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}

/** @param {string} reason */
function skip(reason) {
  counts.skipped++;
  console.log(`skip           ${reason}`);
}

/** @param {readonly string[]} args @param {import('./compose.mjs').RunOptions} [options] */
function shoal(args, options) {
  return network.exec(GATEWAY, ['shoal', ...args], options);
}

/** @param {number} bytes @param {import('node:crypto').Hash} hash */
async function* random(bytes, hash) {
  for (let left = bytes; left > 0; left -= PART_BYTES) {
    const part = randomBytes(Math.min(PART_BYTES, left));
    hash.update(part);
    yield part;
  }
}

/** @param {string} path @param {number} bytes @returns {Promise<string>} how fast it was */
async function put(path, bytes) {
  const hash = createHash('sha256');
  const started = Date.now();
  await shoal(['put', '-', path], { input: random(bytes, hash) });
  stored.set(path, hash.digest('hex'));
  return rate(bytes, started);
}

/** @param {string} path @returns {Promise<string>} how fast it was; throws when other bytes come back */
async function fetchBack(path) {
  const hash = createHash('sha256');
  const started = Date.now();
  let bytes = 0;
  await shoal(['get', path, '-'], {
    output: (part) => {
      bytes += part.length;
      hash.update(part);
    },
  });
  if (hash.digest('hex') !== stored.get(path)) throw new Error(`${path} came back as other bytes than were put there.`);
  return rate(bytes, started);
}

/** @param {number} bytes @param {number} started */
function rate(bytes, started) {
  const seconds = (Date.now() - started) / 1000;
  return `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s`;
}

async function demandTools() {
  await run(['docker', 'version']).catch((/** @type {unknown} */ error) => {
    throw new Error(
      `This test needs a Docker engine: start one, and see that \`docker version\` finds it.\n${String(error)}`,
    );
  });
}

async function look() {
  const containers = await network.containers();
  const wrong = containers.filter(({ service, state }) => {
    const isOnce = service.endsWith('-home') || service === 'invitations';
    return state !== (isOnce ? 'exited' : 'running');
  });
  if (wrong.length > 0) throw new Error(wrong.map(({ service, state }) => `${service} is ${state}`).join('\n'));
  return `${String(containers.filter(({ state }) => state === 'running').length)} containers`;
}

async function confined() {
  const script = 'id -u; touch /usr/local/x /etc/x 2>/dev/null && echo writable; grep CapEff /proc/self/status';
  const said = await network.exec('peer-1-front', ['sh', '-c', script]).catch(String);
  if (!/^1000\nCapEff:\s+0+\s*$/.test(said)) throw new Error(`A container is not confined:\n${said}`);
  return 'user 1000, no capability, read-only root';
}

/** Everybody knows everybody, and nobody is down. */
async function complete() {
  /** @type {unknown} */
  const reply = JSON.parse(await shoal(['status', '--json']));
  const status = /** @type {{ peers: { name: string, up: boolean }[] }} */ (reply);
  const down = status.peers.filter(({ up }) => !up);
  const { length } = status.peers;
  if (length === 6 && down.length === 0) return;
  throw new Error(
    `There are ${String(length)} peers, and these do not answer: ${down.map(({ name }) => name).join(', ')}`,
  );
}

async function unlock() {
  await shoal(['unlock', 'ann'], { input: PASSPHRASE });
}

/** What is dead is not needed, or is missed clearly; afterwards all is as before. @param {string} service */
async function survive(service) {
  await network.kill(service);
  const said = [];
  if (service === GATEWAY) {
    await fetchBack('/big').then(
      () => Promise.reject(new Error('The gateway is dead, and answered.')),
      () => said.push('missed'),
    );
  } else {
    await fetchBack('/big');
    await put(`/while-without-${service}`, 100_000);
    said.push('fetched and stored without it');
  }
  await network.start(service);
  // Docker itself would ask only after half a minute.
  await until(() => network.exec(service, ['shoal', 'serve', service.replace(/^peer-\d-/, ''), '--check']));
  // The gateway alone knew who was unlocked.
  if (service === GATEWAY) await unlock();
  await until(() => fetchBack('/big'));
  return [...said, 'and with it again'].join(', ');
}

/** What heals by itself within a minute. @param {() => Promise<unknown>} work */
async function until(work, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

async function test() {
  await step('build the image, make and start the network', () => network.up());
  await step('all are healthy', async () => {
    await network.healthy(HEALTHY_MS);
    return look();
  });
  await step('containers are confined', confined);
  await step('six peers answer', () => until(complete));
  await step('make a user', async () => {
    await shoal(['user', 'create', 'ann'], { input: PASSPHRASE });
    await unlock();
  });
  await step('store 200 MB', () => put('/big', BIG_BYTES));
  await step('fetch 200 MB', () => fetchBack('/big'));
  for (const service of KINDS) await step(`kill ${service}`, () => survive(service));
  await step('take down all containers, and start again', async () => {
    await network.compose('down');
    await network.up();
    await network.healthy(HEALTHY_MS);
    await until(complete);
    return look();
  });
  await step('unlock the user', unlock);
  await step('find all data', async () => {
    for (const path of stored.keys()) await fetchBack(path);
    return `${String(stored.size)} files`;
  });
  if (!COUCHDB_IMAGE)
    skip('Apache CouchDB at the backup hosts: set COUCHDB_IMAGE to an image of it; they ran the embedded one');
}

let failure;
try {
  await demandTools();
  await test();
} catch (error) {
  failure = error;
  console.error((await network.compose('logs', '--no-color', '--tail', '15').catch(String)).slice(-30_000));
} finally {
  if (process.argv.includes('--keep')) console.log(`Kept: COMPOSE_PROJECT_NAME=${PROJECT}`);
  else await step('remove everything', () => network.remove(PROJECT)).catch(() => undefined);
}
console.log(`\n# tests ${String(counts.passed + counts.failed + counts.skipped)}`);
for (const [name, count] of Object.entries(counts)) console.log(`# ${name} ${String(count)}`);
process.exitCode = failure === undefined && counts.failed === 0 ? 0 : 1;
