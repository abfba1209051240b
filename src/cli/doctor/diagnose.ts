import { existsSync } from 'node:fs';
import { parsePeerId } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import { findPackage } from '../../package.js';
import { checkCertificate } from './certificate.js';
import { askClock, judgeClocks } from './clocks.js';
import { checkCouchDb } from './couch.js';
import { checkDaemon } from './daemon.js';
import { checkDatabases } from './databases.js';
import { checkDisk, checkSync } from './disk.js';
import { unknown, type Finding } from './finding.js';
import { checkHome } from './home-folder.js';
import { checkMemory, checkOpenFiles, memoryNeed, readMemory, readOpenFiles } from './machine.js';
import { checkNginx } from './nginx.js';
import { checkNode } from './node-version.js';
import { checkOthers } from './others.js';
import type { Patient } from './patient.js';
import { checkPort } from './ports.js';
import { checkSettings } from './settings.js';
import { checkSyncing } from './sync.js';

interface Check {
  /** In the words of its findings, for when it cannot be made. */
  readonly name: string;
  readonly make: (patient: Patient) => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;
}

const NOTHING: readonly Finding[] = [];

/** In the order of the report: the machine, the home, the peer, the network. */
const CHECKS: readonly Check[] = [
  { name: 'Node.js', make: () => checkNode(process.version) },
  { name: 'memory', make: memory },
  { name: 'open files', make: () => checkOpenFiles(readOpenFiles()) },
  { name: 'home', make: ({ home, identity }) => checkHome(home, identity) },
  { name: 'settings', make: ({ config }) => checkSettings(config) },
  {
    name: 'disk space',
    make: ({ home, config }) => (isThere(config) && existsSync(home) ? checkDisk(home, config.reserveBytes) : NOTHING),
  },
  { name: 'disk speed', make: ({ home }) => (existsSync(home) ? checkSync(home) : NOTHING) },
  { name: 'databases', make: ({ home, status }) => checkDatabases(home, isRunning(status)) },
  {
    name: 'certificate',
    make: ({ identity, nowMs }) => (isThere(identity) ? checkCertificate(identity.tls.certificate, nowMs()) : NOTHING),
  },
  { name: 'ports', make: ports },
  { name: 'nginx', make: ({ home }) => checkNginx(home) },
  { name: 'CouchDB', make: ({ config, signal }) => (isThere(config) ? checkCouchDb(config.couch, signal) : NOTHING) },
  { name: 'peer', make: ({ status }) => checkDaemon(status, findPackage().version) },
  { name: 'other peers', make: ({ status }) => (isThere(status) ? checkOthers(status) : notRunning('other peers')) },
  { name: 'clock', make: clocks },
  {
    name: 'sync',
    make: ({ status, nowMs }) => (isThere(status) ? checkSyncing(status.sync, nowMs()) : notRunning('sync')),
  },
];

/** Every finding of every check, in their order; one that fails itself is told of as unknown. */
export async function diagnose(patient: Patient): Promise<readonly Finding[]> {
  const made = CHECKS.map(async ({ name, make }) => {
    try {
      return await make(patient);
    } catch (error) {
      return unknown(name, wrapError(error, 'Looking at it').message);
    }
  });
  const findings = (await Promise.all(made)).flat();
  patient.signal.throwIfAborted();
  return findings;
}

function isThere<T>(part: T | StorageError): part is T {
  return !(part instanceof StorageError);
}

/** A peer that answers with a failure runs, too. */
function isRunning(status: Patient['status']): boolean {
  return !StorageError.is(status, 'UNAVAILABLE');
}

function notRunning(name: string): Finding {
  return unknown(name, 'Only a peer that runs can tell.');
}

function memory({ config, status }: Patient): readonly Finding[] {
  if (!isThere(config)) return NOTHING;
  const need = memoryNeed(config.workers, config.stripesPerWorker);
  return [checkMemory(readMemory(), need, isRunning(status))];
}

function ports({ config, status }: Patient): Promise<readonly Finding[]> {
  if (!isThere(config)) return Promise.resolve(NOTHING);
  const { listen, web, sftp } = config;
  const settings = [
    { name: 'listen', variable: 'SHOAL_LISTEN', value: listen },
    { name: 'web', variable: 'SHOAL_WEB', value: web },
    { name: 'sftp', variable: 'SHOAL_SFTP', value: sftp },
  ].filter(({ value }) => value !== 'off');
  return Promise.all(settings.map((setting) => checkPort(setting, isRunning(status))));
}

async function clocks({ identity, status, nowMs, signal }: Patient): Promise<readonly Finding[]> {
  if (!isThere(status) || !isThere(identity)) return [notRunning('clock')];
  const { tls } = identity;
  const others = status.peers.filter(({ id, up }) => up && id !== identity.id);
  const asked = others.map(({ id, name, address }) =>
    askClock({ id: parsePeerId(id), name, address }, tls, { signal, nowMs }),
  );
  return judgeClocks((await Promise.all(asked)).filter((offset) => offset !== undefined));
}
