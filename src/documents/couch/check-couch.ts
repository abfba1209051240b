import { couchUserName, NETWORK_DATABASE, PEER_ROLE } from '../../chunk/database-names.js';
import { parsePeerId } from '../../chunk/ids.js';
import { proxyToken } from '../../crypto/proxy-token.js';
import { StorageError } from '../../errors.js';
import type { HttpSend } from '../../http-call.js';
import { MAX_PROBLEM_BYTES } from '../../limits.js';
import { couchJson } from '../replication/couch-json.js';
import type { BackupDatabases } from './backup-databases.js';

export interface CouchUnderTest {
  readonly databases: BackupDatabases;
  /** As its admin. */
  readonly admin: HttpSend;
  /** With these headers and no other identity. */
  readonly as: (headers: Readonly<Record<string, string>>) => HttpSend;
  readonly secret: string;
  readonly signal: AbortSignal;
}

/** A peer that nobody is: no key has this hash. */
const NOBODY = couchUserName(parsePeerId('0'.repeat(64)));

const SETTINGS =
  'In its configuration, section [chttpd], authentication_handlers needs {chttpd_auth, proxy_authentication_handler}; section [chttpd_auth] needs proxy_use_secret = true and, as secret, the line of the secret file.';

function refuse(what: string, remedy = SETTINGS): never {
  throw new StorageError('UNSUPPORTED', `This CouchDB ${what} It is not used like this. ${remedy}`);
}

interface Session {
  readonly name: unknown;
  readonly roles: readonly unknown[];
}

async function session(send: HttpSend, signal: AbortSignal): Promise<Session> {
  const call = { method: 'GET', path: '/_session', maxBytes: MAX_PROBLEM_BYTES, signal } as const;
  const { value } = await couchJson(send, call);
  const { userCtx } = Object(value) as { userCtx?: unknown };
  const { name, roles } = Object(userCtx) as { name?: unknown; roles?: unknown };
  return { name, roles: Array.isArray(roles) ? (roles as unknown[]) : [] };
}

function identity(token: string | undefined): Record<string, string> {
  const headers = { 'x-auth-couchdb-username': NOBODY, 'x-auth-couchdb-roles': PEER_ROLE };
  return token === undefined ? headers : { ...headers, 'x-auth-couchdb-token': token };
}

/** Whom it takes a request for; where it refuses the request, nobody. */
async function nameOf(send: HttpSend, signal: AbortSignal): Promise<unknown> {
  try {
    return (await session(send, signal)).name ?? null;
  } catch (error) {
    if (StorageError.is(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED')) return null;
    throw error;
  }
}

async function checkVersion({ admin, signal }: CouchUnderTest): Promise<void> {
  const { value } = await couchJson(admin, { method: 'GET', path: '/', maxBytes: MAX_PROBLEM_BYTES, signal });
  const { couchdb, version } = Object(value) as { couchdb?: unknown; version?: unknown };
  if (typeof couchdb !== 'string' || typeof version !== 'string') refuse('is none.', 'Check its URL.');
  if (Number.parseInt(version, 10) < 3)
    refuse('is older than 3.0, where new databases are open to all.', 'Upgrade it.');
}

/** Who is believed: without a secret CouchDB takes every token, and a token that it refuses makes a request anonymous. */
async function checkIdentities({ admin, as, secret, signal }: CouchUnderTest): Promise<void> {
  const { roles } = await session(admin, signal);
  if (!roles.includes('_admin')) {
    throw new StorageError('UNAUTHENTICATED', 'The name and password are not those of an admin of this CouchDB.');
  }
  const right = proxyToken(secret, NOBODY);
  if ((await nameOf(as(identity(right)), signal)) !== NOBODY) {
    refuse('does not take the identity of a peer from the front.');
  }
  const wrong = right.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  for (const token of [wrong, '', undefined]) {
    if ((await nameOf(as(identity(token)), signal)) !== null) refuse('takes identities with a wrong token.');
  }
}

/** @returns the status of a request, whatever it is */
async function isAllowed(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (StorageError.is(error, 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND')) return false;
    throw error;
  }
}

/** What is let in: nothing from strangers, and from peers only what the rules allow. */
async function checkAccess({ databases, admin, as, secret, signal }: CouchUnderTest): Promise<void> {
  await databases.provide(NETWORK_DATABASE, { names: [], roles: [PEER_ROLE] });
  const path = `/${NETWORK_DATABASE}/_changes?limit=1`;
  const reading = couchJson(as({}), { method: 'GET', path, maxBytes: MAX_PROBLEM_BYTES, signal });
  if (await isAllowed(reading))
    refuse('lets strangers read its databases.', 'Check its configuration for an "admin party".');
  const id = 'shoal-trial';
  const writing = couchJson(as(identity(proxyToken(secret, NOBODY))), {
    method: 'PUT',
    path: `/${NETWORK_DATABASE}/${id}`,
    body: { type: 'trial', format: 1 },
    maxBytes: MAX_PROBLEM_BYTES,
    signal,
  });
  if (!(await isAllowed(writing))) return;
  const found = await couchJson(admin, {
    method: 'GET',
    path: `/${NETWORK_DATABASE}/${id}`,
    maxBytes: MAX_PROBLEM_BYTES,
    signal,
  });
  const { _rev } = Object(found.value) as { _rev?: unknown };
  const remove = `/${NETWORK_DATABASE}/${id}?rev=${encodeURIComponent(String(_rev))}`;
  await couchJson(admin, { method: 'DELETE', path: remove, maxBytes: MAX_PROBLEM_BYTES, signal });
  refuse('does not run validate_doc_update.', 'Its query server for JavaScript has to be enabled.');
}

/**
 * Refuses a CouchDB through which somebody could come in as somebody else. Traps of CouchDB 3 that cannot be seen by asking
 * it are closed by the front: the token covers the name alone, and roles are believed as sent, `_admin` included.
 *
 * @throws StorageError UNAUTHENTICATED, UNSUPPORTED with what to set, UNAVAILABLE
 */
export async function checkCouch(couch: CouchUnderTest): Promise<void> {
  await checkVersion(couch);
  await checkIdentities(couch);
  await checkAccess(couch);
}
