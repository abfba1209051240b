import type { Config } from '../../config.js';
import { sendTo } from '../../documents/couch/external-couch.js';
import { readPrivateFile } from '../../documents/couch/private-file.js';
import { couchJson } from '../../documents/replication/couch-json.js';
import { wrapError } from '../../errors.js';
import { MAX_PROBLEM_BYTES } from '../../limits.js';
import { ok, problem, type Finding } from './finding.js';

const NAME = 'CouchDB';

/** The Apache CouchDB of a backup host, where the settings name one: does it answer, and to its admin? */
export async function checkCouchDb(couch: Config['couch'], signal: AbortSignal): Promise<readonly Finding[]> {
  if (couch === undefined) return [];
  const { url, credentialsFile, secretFile } = couch;
  try {
    const credentials = await readPrivateFile(credentialsFile, 'the name and password of an admin of CouchDB');
    await readPrivateFile(secretFile, 'the secret of proxy authentication');
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const admin = sendTo(url, { authorization });
    const call = { method: 'GET', maxBytes: MAX_PROBLEM_BYTES, signal } as const;
    const { version } = Object((await couchJson(admin, { ...call, path: '/' })).value) as { version?: unknown };
    const { userCtx } = Object((await couchJson(admin, { ...call, path: '/_session' })).value) as { userCtx?: unknown };
    const { roles } = Object(userCtx) as { roles?: unknown };
    if (Array.isArray(roles) && roles.includes('_admin'))
      return [ok(NAME, `${url.host} is CouchDB ${String(version)}.`)];
    const found = `${url.host} does not take the name and password in ${credentialsFile} for an admin’s.`;
    return [problem(NAME, found, 'Correct the file: NAME:PASSWORD of an admin of CouchDB, in one line.')];
  } catch (error) {
    signal.throwIfAborted();
    const remedy = 'Start CouchDB, or correct the setting couch (SHOAL_COUCH) and the files that it names.';
    return [problem(NAME, wrapError(error, `Asking CouchDB at ${url.host}`).message, remedy)];
  }
}
