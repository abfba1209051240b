import { ok, problem, type Finding } from './finding.js';

/** The oldest that will do, as `engines` of package.json says. */
const OLDEST = [20, 19] as const;

/** @param version as `process.version`: "v20.19.4" */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (!isOld) return ok('Node.js', `Node.js ${version}.`);
  const oldest = OLDEST.join('.');
  return problem('Node.js', `Node.js ${version} is too old.`, `Install Node.js ${oldest} or newer.`);
}
