/** Asks before something is lost. */
import { createInterface } from 'node:readline/promises'
import { OptionError } from 'millpond'

/** Resolves when it is meant: by `--yes`, or by somebody at the terminal. @throws OptionError where nobody can be asked, or says no */
export async function confirmed(what: string, { yes }: { readonly yes?: boolean }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) throw new OptionError('yes', undefined, `say --yes to ${what}: nobody can be asked here`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question(`${what}? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new OptionError('yes', answer.trim(), 'nothing was changed')
  } finally {
    asking.close()
  }
}
