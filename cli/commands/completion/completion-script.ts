export const completionShells = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof completionShells)[number];

export interface CommandWords {
  /** The words that lead to a command; none for the program itself. */
  path: readonly string[];
  /** Subcommands and flags that may follow. */
  next: readonly string[];
}

/** A script for a shell. Names of commands and flags are letters and dashes, so that nothing needs quoting. */
export function completionScript(shell: CompletionShell, commands: readonly CommandWords[]): string {
  if (shell === 'fish') return fish(commands);
  return shell === 'zsh'
    ? `#compdef hatchet hatchet-ts\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`
    : bash(commands);
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ path, next }) => `    '${path.join(' ')}') words='${next.join(' ')}' ;;`);
  return `_hatchet() {
  local path='' word words='' current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) path="\${path:+$path }$word" ;;
    esac
  done
  while :; do
    case "$path" in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
    if [ -n "$words" ] || [ -z "$path" ]; then break; fi
    case "$path" in
      *' '*) path="\${path% *}" ;;
      *) path='' ;;
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _hatchet hatchet hatchet-ts
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ path, next }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const children = next.filter((word) => !word.startsWith('-'));
    const unseen = children.length === 0 ? '' : `not __fish_seen_subcommand_from ${children.join(' ')}`;
    const condition = [seen, unseen].filter((part) => part !== '').join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return ['hatchet', 'hatchet-ts'].flatMap((name) =>
      next.map((word) =>
        word.startsWith('--')
          ? `complete -c ${name}${when} -l ${word.slice(2)}`
          : `complete -c ${name} -f${when} -a ${word}`,
      ),
    );
  });
  return `${lines.join('\n')}\n`;
}
