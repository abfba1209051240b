export type Shell = 'bash' | 'zsh' | 'fish';

export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  /** Its own commands and options. */
  readonly words: readonly string[];
}

/** Completes the names of commands and options; everything else is left to the shell's completion of files. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return { bash, zsh, fish }[shell](commands);
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, words }) => `    ${name}) words="${words.join(' ')}" ;;`);
  return `_shoal() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="${names(commands)}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${names(commands)}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _shoal shoal
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const described = commands.map(({ name, summary }) => `    '${name}:${summary.replaceAll("'", "'\\''")}'`);
  const cases = commands.map(({ name, words }) => `    ${name}) compadd -- ${words.join(' ')} ;;`);
  return `#compdef shoal
_shoal() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
  _files
}
compdef _shoal shoal
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, summary, words }) => [
    `complete -c shoal -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
    ...words.map((word) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c shoal -n '__fish_seen_subcommand_from ${name}' ${what}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

function names(commands: readonly CommandWords[]): string {
  return commands.map(({ name }) => name).join(' ');
}
