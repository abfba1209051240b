import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { isProxyToken } from '../../crypto/proxy-token.js';
import type { UserContext, validate } from '../rules/validate.js';

export interface FakeCouchSettings {
  /** authentication_handlers has the one for proxies. */
  readonly proxyHandler: boolean;
  /** proxy_use_secret */
  readonly useSecret: boolean;
  readonly secret: string | undefined;
  readonly version: string;
  readonly isAdminParty: boolean;
  readonly runsValidation: boolean;
}

interface Database {
  security: { members?: { names?: string[]; roles?: string[] } };
  readonly documents: Map<string, Record<string, unknown>>;
}

const OPEN: FakeCouchSettings = {
  proxyHandler: true,
  useSecret: true,
  secret: undefined,
  version: '3.5.0',
  isAdminParty: false,
  runsValidation: true,
};

export const ADMIN = 'admin:correct horse';

/** For tests: answers as Apache CouchDB 3.5 was seen to, traps included. */
export class FakeCouch implements AsyncDisposable {
  readonly databases = new Map<string, Database>();
  /** What was asked, in order: "PUT /name". */
  readonly asked: string[] = [];
  readonly url: URL;
  /** How often it is asked before a compaction has ended. */
  #compactingFor = 0;
  readonly #server: Server;
  readonly #settings: FakeCouchSettings;

  private constructor(server: Server, settings: FakeCouchSettings) {
    this.#server = server;
    this.#settings = settings;
    this.url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  }

  static async open(settings: Partial<FakeCouchSettings>): Promise<FakeCouch> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const couch = new FakeCouch(server, { ...OPEN, ...settings });
    server.on('request', (request: IncomingMessage, response) => {
      void couch.#answer(request).then(([status, value]) => {
        response.writeHead(status, { server: 'CouchDB/3.5.0' }).end(`${JSON.stringify(value)}\n`);
      });
    });
    return couch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #identify({ headers }: IncomingMessage): Pick<UserContext, 'name' | 'roles'> {
    const { proxyHandler, useSecret, secret, isAdminParty } = this.#settings;
    if (headers.authorization === `Basic ${Buffer.from(ADMIN).toString('base64')}`)
      return { name: 'admin', roles: ['_admin'] };
    const name = headers['x-auth-couchdb-username'];
    const token = String(headers['x-auth-couchdb-token']);
    // Without a secret every token is taken; a wrong one is no error, the request goes on as nobody's.
    const isTrusted = !useSecret || secret === undefined || isProxyToken(secret, String(name), token);
    if (proxyHandler && typeof name === 'string' && isTrusted) {
      return { name, roles: String(headers['x-auth-couchdb-roles'] ?? '').split(',') };
    }
    return { name: null, roles: isAdminParty ? ['_admin'] : [] };
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const { pathname } = new URL(request.url ?? '/', this.url);
    this.asked.push(`${request.method ?? ''} ${pathname}`);
    const user = this.#identify(request);
    if (pathname === '/') return [200, { couchdb: 'Welcome', version: this.#settings.version }];
    if (pathname === '/_session') return [200, { ok: true, userCtx: user }];
    const isAdmin = user.roles.includes('_admin');
    const forbidden: [number, unknown] = [
      user.name === null ? 401 : 403,
      { error: 'unauthorized', reason: 'not allowed' },
    ];
    if (pathname === '/_all_dbs') return isAdmin ? [200, [...this.databases.keys()]] : forbidden;
    const [, name = '', ...rest] = pathname.split('/');
    const id = rest.join('/');
    const database = this.databases.get(name);
    if (id === '' && (request.method === 'PUT' || request.method === 'DELETE')) {
      return isAdmin ? this.#administer(request.method, name) : forbidden;
    }
    if (database === undefined) return [404, { error: 'not_found', reason: 'Database does not exist.' }];
    const { members } = database.security;
    const { names = [], roles = [] } = members ?? {};
    const isMember =
      // couch_db:is_public_db
      (members !== undefined && names.length === 0 && roles.length === 0) ||
      (user.name !== null && names.includes(user.name)) ||
      user.roles.some((role) => roles.includes(role));
    // A new database is for admins only.
    if (!isAdmin && !isMember) return forbidden;
    if (id === '_security' || id.startsWith('_design/')) {
      if (!isAdmin && request.method !== 'GET') return forbidden;
    }
    return this.#document({ database, method: request.method ?? '', id, body, user: { db: name, ...user } });
  }

  #administer(method: string, name: string): [number, unknown] {
    if (method === 'DELETE') return this.databases.delete(name) ? [200, { ok: true }] : [404, { error: 'not_found' }];
    if (this.databases.has(name)) return [412, { error: 'file_exists', reason: 'The file already exists.' }];
    this.databases.set(name, { security: {}, documents: new Map() });
    return [201, { ok: true }];
  }

  #document({ database, method, id, body, user }: DocumentRequest): [number, unknown] {
    if (id === '_changes') return [200, { results: [], last_seq: '0', pending: 0 }];
    if (id === '_compact') {
      this.#compactingFor = 2;
      return [202, { ok: true }];
    }
    if (id === '') return [200, { compact_running: this.#compactingFor-- > 0 }];
    if (id === '_all_docs') return [200, { rows: [...database.documents.keys()].map((key) => ({ id: key })) }];
    if (id === '_security' && method === 'PUT') {
      database.security = body;
      return [200, { ok: true }];
    }
    const former = database.documents.get(id);
    if (method === 'GET')
      return former === undefined ? [404, { error: 'not_found', reason: 'missing' }] : [200, former];
    if (method === 'DELETE') return [database.documents.delete(id) ? 200 : 404, { ok: true }];
    if (former !== undefined && former['_rev'] !== body['_rev'])
      return [409, { error: 'conflict', reason: 'Document update conflict.' }];
    const design = database.documents.get('_design/shoal');
    if (this.#settings.runsValidation && design !== undefined && !id.startsWith('_')) {
      const rules = runInNewContext(`(${String(design['validate_doc_update'])})`) as typeof validate;
      try {
        rules({ ...body, _id: id }, null, user);
      } catch (thrown) {
        return [403, { error: 'forbidden', reason: JSON.stringify(thrown) }];
      }
    }
    const rev = former?.['_rev'];
    const generation = Number.parseInt(typeof rev === 'string' ? rev : '0', 10) + 1;
    database.documents.set(id, { ...body, _id: id, _rev: `${String(generation)}-a` });
    return [201, { ok: true, id }];
  }
}

interface DocumentRequest {
  readonly database: Database;
  readonly method: string;
  readonly id: string;
  readonly body: Record<string, unknown>;
  readonly user: UserContext;
}
