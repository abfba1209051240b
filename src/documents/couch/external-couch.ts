import { setTimeout as sleep } from 'node:timers/promises';
import { isReplicated } from '../../chunk/database-names.js';
import { StorageError } from '../../errors.js';
import { httpCall, type HttpSend } from '../../http-call.js';
import { COMPACTION_POLL_MS, COMPACTION_TIMEOUT_MS, MAX_FEED_BYTES } from '../../limits.js';
import { couchJson } from '../replication/couch-json.js';
import { DESIGN_ID, designFields } from '../rules/design.js';
import type { SecurityPart } from '../security.js';
import { ADMINS, type BackupDatabases } from './backup-databases.js';
import { checkCouch } from './check-couch.js';
import { readPrivateFile } from './private-file.js';

export interface ExternalCouchOptions {
  /** Without credentials. */
  readonly url: URL;
  /** One line, "name:password" of an admin, mode 0600. */
  readonly credentialsFile: string;
  /** One line, CouchDB's `[chttpd_auth] secret`, mode 0600. */
  readonly secretFile: string;
}

/** @param headers of every request */
export function sendTo(url: URL, headers: Readonly<Record<string, string>>): HttpSend {
  const { protocol, hostname, port, pathname } = url;
  const place = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), ...(port === '' ? {} : { port }), headers };
  const prefix = pathname.replace(/\/$/, '');
  return (call) =>
    httpCall({ ...place, agent: false }, { ...call, path: prefix + call.path }, `CouchDB at ${url.host}`);
}

/** An Apache CouchDB 3 that somebody else runs, administered over HTTP. */
export class ExternalCouch implements BackupDatabases {
  readonly #send: HttpSend;
  readonly #signal: AbortSignal;

  private constructor(send: HttpSend, signal: AbortSignal) {
    this.#send = send;
    this.#signal = signal;
  }

  /**
   * Opens it, and refuses one that would let strangers in.
   *
   * @param signal ends every call from then on
   * @throws StorageError PERMISSION_DENIED for a file that others may read; UNAUTHENTICATED, UNSUPPORTED with what to set
   */
  static async open(
    { url, credentialsFile, secretFile }: ExternalCouchOptions,
    signal: AbortSignal,
  ): Promise<{ readonly databases: ExternalCouch; readonly secret: string }> {
    if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      throw new StorageError(
        'INVALID_ARGUMENT',
        'The URL of CouchDB begins with http:// or https://; credentials lie in a file.',
      );
    }
    const credentials = await readPrivateFile(credentialsFile, 'the name and password of an admin of CouchDB');
    const secret = await readPrivateFile(secretFile, 'the secret of proxy authentication');
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const databases = new ExternalCouch(sendTo(url, { authorization }), signal);
    await checkCouch({ databases, admin: databases.#send, as: (headers) => sendTo(url, headers), secret, signal });
    return { databases, secret };
  }

  async names(): Promise<readonly string[]> {
    const names = await this.#ask('GET', '/_all_dbs');
    if (!Array.isArray(names))
      throw new StorageError('CORRUPT', 'CouchDB listed its databases in no form that is known.');
    return names.filter((name) => typeof name === 'string' && isReplicated(name)).sort() as string[];
  }

  async provide(name: string, members: SecurityPart): Promise<void> {
    await this.#unless('ALREADY_EXISTS', this.#ask('PUT', `/${name}`));
    // Until now for admins only: nobody is let in before the rules are there.
    await this.#provideRules(name);
    await this.#ask('PUT', `/${name}/_security`, { admins: ADMINS, members: closed(members) });
  }

  async isFilled(name: string): Promise<boolean> {
    // The rules are a document too.
    const path = `/${name}/_all_docs?limit=2`;
    const { rows } = Object(await this.#unless('NOT_FOUND', this.#ask('GET', path))) as { rows?: unknown };
    return Array.isArray(rows) && rows.some((row: unknown) => (Object(row) as { id?: unknown }).id !== DESIGN_ID);
  }

  async drop(name: string): Promise<void> {
    await this.#unless('NOT_FOUND', this.#ask('DELETE', `/${name}`));
  }

  async compact(name: string): Promise<void> {
    await this.#ask('POST', `/${name}/_compact`, {});
    // It has only been told so: a replaced passphrase's wrap is there until it has ended.
    const deadline = performance.now() + COMPACTION_TIMEOUT_MS;
    do {
      if (performance.now() > deadline) {
        throw new StorageError('TIMEOUT', `CouchDB still compacts the database ${name}. It goes on by itself.`);
      }
      await sleep(COMPACTION_POLL_MS, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
    } while (await this.#isCompacting(name));
  }

  async #isCompacting(name: string): Promise<boolean> {
    const { compact_running: running } = Object(await this.#ask('GET', `/${name}`)) as { compact_running?: unknown };
    return running === true;
  }

  async #provideRules(name: string): Promise<void> {
    const fields = designFields();
    const path = `/${name}/${DESIGN_ID}`;
    const former = (await this.#unless('NOT_FOUND', this.#ask('GET', path))) as Record<string, unknown> | undefined;
    if (former?.['validate_doc_update'] === fields.validate_doc_update) return;
    const rev = typeof former?.['_rev'] === 'string' ? { _rev: former['_rev'] } : {};
    await this.#ask('PUT', path, { ...fields, ...rev });
  }

  async #ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const call = { method, path, maxBytes: MAX_FEED_BYTES, signal: this.#signal };
    const { value } = await couchJson(this.#send, body === undefined ? call : { ...call, body });
    return value;
  }

  async #unless(code: 'NOT_FOUND' | 'ALREADY_EXISTS', asked: Promise<unknown>): Promise<unknown> {
    try {
      return await asked;
    } catch (error) {
      if (StorageError.is(error, code)) return undefined;
      throw error;
    }
  }
}

/** A database without any member is open to everybody in CouchDB, strangers too. */
function closed(members: SecurityPart): SecurityPart {
  return members.names.length === 0 && members.roles.length === 0 ? ADMINS : members;
}
