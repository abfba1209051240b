// @ts-check
/** npm run campaign: a network under load and faults. Arguments go to campaign/main.ts. */
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

const campaign = fileURLToPath(new URL('../dist/campaign/main.js', import.meta.url));
if (await setUp()) await run([campaign, ...process.argv.slice(2)]);
else process.exitCode = 1;
