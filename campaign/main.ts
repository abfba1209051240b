/** The entry of `npm run campaign`. */
import { runProcess } from '../src/cli/run-process.js';
import { StorageError } from '../src/errors.js';
import { CAMPAIGN_HELP, parseCampaignOptions } from './options.js';
import { tableOf } from './report/table.js';
import { runCampaign } from './run.js';

await runProcess(async ({ stdout, stderr, signal }) => {
  const options = parseCampaignOptions(process.argv.slice(2));
  if (options === undefined) {
    stdout.write(CAMPAIGN_HELP);
    return;
  }
  const begun = performance.now();
  const say = (text: string): void => {
    stderr.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}\n`);
  };
  const result = await runCampaign(options, { signal, say });
  (options.json ? stderr : stdout).write(`\n${tableOf(result)}`);
  if (options.json) stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  const { violations, seed } = result;
  if (violations.length > 0) {
    const what = `${String(violations.length)} violations; again with --seed ${String(seed)}.`;
    throw new StorageError('INTERNAL', what);
  }
});
