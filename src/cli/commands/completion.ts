import { Argument, type Command } from 'commander';
import { COMMANDS } from '../catalogue.js';
import { completionScript, type CommandWords, type Shell } from '../completion-script.js';
import { openProgram } from '../program.js';
import type { Runtime } from '../runtime.js';

export function defineCompletion(command: Command, runtime: Runtime): void {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(shoal completion bash)\n  shoal completion zsh > ~/.zfunc/_shoal\n  shoal completion fish | source\n',
    )
    .action(async (shell: Shell) => {
      const program = await openProgram(runtime, (name) => name !== 'completion');
      const words = COMMANDS.map(({ name, summary }): CommandWords => {
        const own = program.commands.find((one) => one.name() === name);
        const options = (own?.options ?? []).map((option) => option.long ?? '').filter((long) => long !== '');
        const inner = (own?.commands ?? []).map((one) => one.name());
        return { name, summary, words: [...inner, ...options, '--help'] };
      });
      runtime.stdout.write(completionScript(shell, words));
    });
}
