import type { Config } from '../../config.js';
import type { StorageError } from '../../errors.js';
import { ok, problem, type Finding } from './finding.js';

export function checkSettings(config: Config | StorageError): Finding {
  if (!('code' in config)) return ok('settings', 'The settings can be read.');
  return problem('settings', config.message, 'Correct config.json in the home, or the environment variable.');
}
