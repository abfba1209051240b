import type { FastifyRequest } from 'fastify';
import { AUTHORITY_ROLE, PEER_ROLE } from '../../chunk/database-names.js';
import { isProxyToken } from '../../crypto/proxy-token.js';
import { StorageError } from '../../errors.js';
import type { Access, HostingRules, UserContext } from '../http-access.js';
import type { LatestIn } from '../branches.js';
import { validate } from '../rules/validate.js';
import type { SecurityPart } from '../security.js';

/** Roles that a request may have. CouchDB would believe any, `_admin` too: here nobody is admin through the front. */
const ROLES: readonly string[] = [PEER_ROLE, AUTHORITY_ROLE];

function header(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** Who the front says is asking. @throws StorageError UNAUTHENTICATED, where CouchDB would go on with nobody */
function identify(request: FastifyRequest, secret: string): { readonly name: string; readonly roles: string[] } {
  const name = header(request, 'x-auth-couchdb-username');
  const token = header(request, 'x-auth-couchdb-token');
  if (name === '' || !isProxyToken(secret, name, token)) {
    throw new StorageError('UNAUTHENTICATED', 'This database is reached through the front of its peer only.');
  }
  const roles = header(request, 'x-auth-couchdb-roles')
    .split(',')
    .filter((role) => ROLES.includes(role));
  return { name, roles };
}

function isMember({ names, roles }: SecurityPart, user: Pick<UserContext, 'name' | 'roles'>): boolean {
  return (user.name !== null && names.includes(user.name)) || user.roles.some((role) => roles.includes(role));
}

/**
 * Who may use the embedded CouchDB: members, for replication. Databases are made and given to members in this process,
 * never by a request.
 *
 * @param membersOf undefined for a database that was not provided to anybody
 * @param latestIn see Branches
 */
export function proxyRules(
  secret: string,
  membersOf: (database: string) => SecurityPart | undefined,
  latestIn?: LatestIn,
): HostingRules {
  return {
    ...(latestIn && { latestIn }),
    async authorize(request: FastifyRequest, { action, database }: Access) {
      const user = { db: database ?? '', ...identify(request, secret) };
      if (action === 'greet') return user;
      const isReplication = action === 'read' || action === 'write' || action === 'checkpoint';
      if (!isReplication || database === undefined) {
        throw new StorageError('PERMISSION_DENIED', 'Peers replicate databases here and do nothing else.');
      }
      const members = membersOf(database);
      if (members === undefined) throw new StorageError('NOT_FOUND', 'Database does not exist.');
      if (!isMember(members, user)) {
        throw new StorageError('PERMISSION_DENIED', 'You are not allowed to access this database.');
      }
      return user;
    },
    validate(newDoc, oldDoc, user) {
      validate(newDoc, oldDoc, user);
    },
  };
}
