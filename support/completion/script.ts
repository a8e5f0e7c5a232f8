import type { Completable } from './help';

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];

/**
 * A completion for `npm run SCRIPT -- ...` of this project. In any other folder npm's own completion goes on, if there is one.
 * @param scripts what each script and each command within can be completed with.
 */
export function completionScript(shell: Shell, project: string, scripts: readonly Completable[]): string {
  const top = scripts.filter(({ command }) => !command.includes(' ')).map(({ command }) => command);
  const words = ({ command, options, commands, choices }: Completable): string =>
    `    '${command}') words='${[...commands, ...choices, ...options].join(' ')}' ;;`;
  const bash = `# Completion of \`npm run ... -- ...\` in ${project}, written by \`npm run completion -- ${shell}\`: write it anew after an update.
_sandbox_acceptance() {
  if ! grep -qs '"name": "${project}"' package.json; then
    declare -F _npm_completion > /dev/null && _npm_completion "$@"
    return
  fi
  local current="\${COMP_WORDS[COMP_CWORD]}" script='' command='' word words='' after=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      --) [ -n "$script" ] && after=1 ;;
      -*|run|run-script) ;;
      *) if [ -z "$script" ]; then script="$word"; elif [ -n "$after" ] && [ -z "$command" ]; then command="$word"; fi ;;
    esac
  done
  if [ -z "$script" ]; then
    case "\${COMP_WORDS[1]}" in
      run|run-script|test) words='${top.join(' ')}' ;;
      *) words='run test ci install' ;;
    esac
  elif [ -z "$after" ]; then
    words='--'
  else
    case "$script $command" in
${scripts
  .filter(({ command }) => command.includes(' '))
  .map(words)
  .join('\n')}
    *) case "$script" in
${scripts
  .filter(({ command }) => !command.includes(' '))
  .map((one) => `  ${words(one)}`)
  .join('\n')}
    esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$current" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$current")) ;; esac
}
complete -o filenames -F _sandbox_acceptance npm
`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}
