/** Scripts by which shells complete: tables of what may follow which command. */
import type { Command } from 'commander'

/** What may stand behind a command, which is a path such as 'cache create'; '' is the program itself. */
export interface CompletionWords {
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly says: string }[]
  readonly options: readonly { readonly name: string; readonly says: string; readonly takesFile: boolean }[]
}

/** Of the program and all its commands; hidden ones are left out. */
export function wordsOf(program: Command, path = ''): CompletionWords[] {
  const visible = program.createHelp()
  const children = visible.visibleCommands(program)
  const own: CompletionWords = {
    path,
    commands: children.map((child) => ({ name: child.name(), says: child.description() })),
    options: visible
      .visibleOptions(program)
      .filter(({ long }) => long != null)
      .map(({ long, description, flags }) => ({
        name: long!,
        says: description,
        takesFile: /<(file|folder|path)>/.test(flags),
      })),
  }
  return [own, ...children.flatMap((child) => wordsOf(child, path === '' ? child.name() : `${path} ${child.name()}`))]
}

const FILES = (words: readonly CompletionWords[]): string =>
  [
    ...new Set(words.flatMap(({ options }) => options.filter(({ takesFile }) => takesFile).map(({ name }) => name))),
  ].join('|')

export function bashScript(words: readonly CompletionWords[]): string {
  const cases = words.map(({ path, commands, options }) => {
    const all = [...commands, ...options].map(({ name }) => name).join(' ')
    return `    '${path}') words='${all}' ;;`
  })
  return `_millpond() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' at word
  case "$before" in ${FILES(words)}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case " ${pathsOf(words)} " in *" \${path:+\${path}/}$word "*) path="\${path:+$path/}$word" ;; esac
  done
  case "\${path//\\// }" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _millpond millpond`
}

function pathsOf(words: readonly CompletionWords[]): string {
  return words
    .map(({ path }) => path.replaceAll(' ', '/'))
    .filter(Boolean)
    .join(' ')
}

export function zshScript(words: readonly CompletionWords[]): string {
  const said = ({ name, says }: { name: string; says: string }): string =>
    `'${name.replaceAll(':', '\\:')}:${says.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`
  const cases = words.map(({ path, commands, options }) => `    '${path}') found=(${[...commands, ...options].map(said).join(' ')}) ;;`) // biome-ignore format: one line
  return `#compdef millpond
_millpond() {
  local route='' word; local -a found
  case "\${words[CURRENT-1]}" in ${FILES(words)}) _files; return ;; esac
  for word in \${words[2,CURRENT-1]}; do
    case " ${pathsOf(words)} " in *" \${route:+\${route}/}$word "*) route="\${route:+$route/}$word" ;; esac
  done
  case "\${route//\\// }" in
${cases.join('\n')}
  esac
  _describe 'millpond' found
}
compdef _millpond millpond`
}

export function fishScript(words: readonly CompletionWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = ['complete -c millpond -f']
  for (const { path, commands, options } of words) {
    const [first, second] = path.split(' ')
    const names = commands.map(({ name }) => name).join(' ')
    const here = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${second ?? first}`
    const alone =
      second === undefined && path !== '' && names !== ''
        ? `${here}; and not __fish_seen_subcommand_from ${names}`
        : here
    const when = second === undefined ? alone : `__fish_seen_subcommand_from ${first}; and ${here}`
    for (const { name, says } of commands)
      lines.push(`complete -c millpond -n ${quoted(when)} -a ${name} -d ${quoted(says)}`)
    for (const { name, says, takesFile } of options) {
      lines.push(
        `complete -c millpond -n ${quoted(when)} -l ${name.slice(2)} -d ${quoted(says)}${takesFile ? ' -r -F' : ''}`,
      )
    }
  }
  return lines.join('\n')
}
