import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { wrapError } from '../../errors.js';
import { findNginx } from '../../front/nginx-program.js';
import { HOME } from '../../home.js';
import { ok, problem, type Finding } from './finding.js';

/** Only where nginx has been the front of this home: nothing says so but its folder. */
export async function checkNginx(home: string, find: typeof findNginx = findNginx): Promise<readonly Finding[]> {
  if (!existsSync(join(home, HOME.nginx))) return [];
  try {
    const { path, version } = await find();
    return [ok('nginx', `${path} is nginx ${version.join('.')}.`)];
  } catch (error) {
    const { message } = wrapError(error, 'Looking for nginx');
    return [problem('nginx', message, `Where nginx is the front no more, remove ${join(home, HOME.nginx)}.`)];
  }
}
