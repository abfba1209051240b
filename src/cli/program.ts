import { Command, CommanderError } from 'commander';
import { StorageError } from '../errors.js';
import { COMMANDS } from './catalogue.js';
import { exitCodesText } from './exit-codes.js';
import { findPackage } from '../package.js';
import type { Runtime } from './runtime.js';

/**
 * Runs one command line to its end.
 *
 * @param words without the program and its script
 * @throws StorageError INVALID_ARGUMENT for a wrong use, and whatever the command throws
 */
export async function runProgram(words: readonly string[], runtime: Runtime): Promise<void> {
  const program = await openProgram(runtime, (name) => words.includes(name));
  if (words.length === 0) {
    runtime.stdout.write(program.helpInformation());
    return;
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // help or version, which is written by now
    throw new StorageError('INVALID_ARGUMENT', usageSentence(error.message, program), { cause: error });
  }
}

/** @param wanted whether a command's own options and arguments are needed: loading them all would double the start-up */
export async function openProgram(runtime: Runtime, wanted: (name: string) => boolean): Promise<Command> {
  const program = new Command('shoal')
    .description(
      'A peer-to-peer encrypted file store: pool the disks of machines you own, lose some of them, lose no file.',
    )
    .version(findPackage().version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => runtime.stdout.write(text),
      writeErr: () => undefined, // main.ts reports the thrown error
    })
    .addHelpText('after', OVERVIEW);
  addCommonOptions(program);
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).description(entry.summary);
    if (wanted(entry.name)) (await entry.load())(command, runtime);
    addCommonOptions(command);
  }
  program
    .command('help')
    .description('explain a command, or `exit-codes`')
    .argument('[topic]')
    .action(async (topic?: string) => {
      if (topic === 'exit-codes') runtime.stdout.write(exitCodesText());
      else await runProgram(topic === undefined ? [] : [topic, '--help'], runtime);
    });
  return program;
}

const OVERVIEW = `
Examples:
  shoal devnet up                    six peers on this machine
  shoal put photos /photos           store a folder
  shoal get /photos .                fetch it again
  shoal help put                     explain one command
  shoal help exit-codes              what the exit codes mean
`;

function addCommonOptions(command: Command): void {
  command
    .option('--json', 'print JSON for programs')
    .option('--home <dir>', 'the peer to use (default: SHOAL_HOME, or ~/.shoal)')
    .option('--user <name>', 'the user, where several are unlocked');
  for (const inner of command.commands) addCommonOptions(inner);
}

/** Commander's "error: unknown command 'putt'\n(Did you mean put?)" as one line that says where to read on. */
function usageSentence(message: string, program: Command): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  const sentence = `${line.charAt(0).toUpperCase()}${line.slice(1)}`;
  const used = program.args[0];
  const known = COMMANDS.some((entry) => entry.name === used);
  return `${sentence.replace(/\.$/, '')}. See \`shoal ${known ? `${used ?? ''} ` : ''}--help\`.`;
}
