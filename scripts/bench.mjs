// @ts-check
/** npm run bench: the floor of this machine and what Shoal makes of it. Arguments go to bench/main.ts. */
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

const bench = fileURLToPath(new URL('../dist/bench/main.js', import.meta.url));
if (await setUp()) await run([bench, ...process.argv.slice(2)]);
else process.exitCode = 1;
