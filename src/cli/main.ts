/** The entry of `shoal`. */
import { runProgram } from './program.js';
import { runProcess } from './run-process.js';

await runProcess((runtime) => runProgram(process.argv.slice(2), runtime));
