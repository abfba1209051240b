// @ts-check
/** npm start: six peers on this machine, a real file, two machines lost, everything back. Arguments go to the demo. */
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

const demo = fileURLToPath(new URL('../dist/src/cli/demo.js', import.meta.url));
if (await setUp()) await run(['--enable-source-maps', demo, ...process.argv.slice(2)]);
else process.exitCode = 1;
