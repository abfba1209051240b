import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import type { Command } from 'commander';
import { tableRows } from '../../test/repository.js';
import { COMMANDS } from './catalogue.js';
import { openProgram } from './program.js';

const runtime = {
  signal: new AbortController().signal,
  env: {},
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
};

/** "shoal user create" and so on: the commands that do something. */
function leavesOf(command: Command, before: string): string[] {
  const name = `${before} ${command.name()}`;
  return command.commands.length === 0 ? [name] : command.commands.flatMap((inner) => leavesOf(inner, name));
}

/** `shoal user keys rotate\\|status [NAME]` stands for two commands. */
function documented(): string[] {
  return tableRows('docs/cli.md').flatMap(([first = '']) =>
    first
      .replaceAll('`', '')
      .split(', ')
      .filter((text) => text.startsWith('shoal '))
      .flatMap((text) => expand(text.split(' '))),
  );
}

function expand(words: readonly string[]): string[] {
  let names = [''];
  for (const word of words) {
    if (!/^[a-z-]+(\\?\|[a-z-]+)*$/.test(word)) break;
    names = names.flatMap((name) => word.split(/\\?\|/).map((each) => `${name} ${each}`.trim()));
  }
  return names;
}

it('docs/cli.md names every command', async () => {
  const program = await openProgram(runtime, () => true);
  const names = documented();
  const missing = COMMANDS.flatMap(({ name }) => {
    const command = program.commands.find((each) => each.name() === name);
    assert.ok(command !== undefined, name);
    return leavesOf(command, 'shoal');
  }).filter((leaf) => !names.some((name) => name === leaf || name.startsWith(`${leaf} `)));
  assert.deepEqual(missing, []);
});
