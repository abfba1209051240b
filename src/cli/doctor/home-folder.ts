import { access, constants, lstat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { wrapError, type StorageError } from '../../errors.js';
import { HOME, type PeerIdentity } from '../../home.js';
import { ok, problem, type Finding } from './finding.js';

const NAME = 'home';

/** Whether this user alone can enter the home, and can write it, and whether a peer lives there. */
export async function checkHome(home: string, identity: PeerIdentity | StorageError): Promise<readonly Finding[]> {
  try {
    const { uid, mode } = await lstat(home);
    const me = userInfo();
    if (me.uid > 0 && uid !== me.uid) {
      const remedy = `Run shoal as the user with the number ${String(uid)}, or give the folder away: chown -R ${me.username} ${home}`;
      return [problem(NAME, `${home} belongs to another user of this machine.`, remedy)];
    }
    const findings: Finding[] = [];
    if ((mode & 0o077) !== 0) {
      findings.push(problem(NAME, `Others may enter ${home}, where keys lie.`, `chmod 700 ${home}`));
    }
    await access(home, constants.W_OK);
    findings.push(...(await looseFiles(home)));
    if (findings.length > 0) return findings;
  } catch (error) {
    const { code, message } = wrapError(error, `Looking at ${home}`);
    const remedy =
      code === 'NOT_FOUND'
        ? 'Choose another with --home or SHOAL_HOME, make a network with `shoal network create`, or join one with `shoal peer join`.'
        : 'Mount the disk for writing, and let this user own the folder.';
    return [problem(NAME, code === 'NOT_FOUND' ? `${home} is not there.` : message, remedy)];
  }
  if ('code' in identity) return [problem(NAME, identity.message, 'Without a key and a certificate it is no peer.')];
  return [ok(NAME, `${home} is closed to others.`)];
}

/** Private keys that others could read, once they were let into the folder. */
async function looseFiles(home: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const name of [HOME.key, HOME.authorityKey]) {
    const path = join(home, name);
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) {
      findings.push(problem(NAME, `Others may read ${path}, a private key.`, `chmod 600 ${path}`));
    }
  }
  return findings;
}
