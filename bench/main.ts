/** The entry of `npm run bench`. */
import { runProcess } from '../src/cli/run-process.js';
import { checkSystem } from './measure/processes.js';
import { BENCH_HELP, parseBenchOptions } from './options.js';
import { checkMarkdown } from './report/markdown.js';
import { report } from './report/report.js';
import { runBench } from './run.js';

await runProcess(async (runtime) => {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options === undefined) {
    runtime.stdout.write(BENCH_HELP);
    return;
  }
  checkSystem();
  if (options.markdown !== undefined) await checkMarkdown(options.markdown);
  await report(await runBench(options, runtime), options, runtime);
});
