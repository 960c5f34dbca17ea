/** `millpond completion`: what a shell needs to complete our commands, written from the commands themselves. */
import type { Command } from 'commander'
import { OptionError } from 'millpond/core'
import { print } from '../print.ts'
import { bashScript, fishScript, wordsOf, zshScript } from './scripts.ts'

/** Adds `completion` to the program. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print what a shell needs to complete these commands')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', HOW)
    .action((shell: string) => {
      const words = wordsOf(program)
      if (shell === 'bash') print(bashScript(words))
      else if (shell === 'zsh') print(zshScript(words))
      else if (shell === 'fish') print(fishScript(words))
      else throw new OptionError('shell', shell, 'give bash, zsh or fish')
    })
}

const HOW = `
  bash   eval "$(millpond completion bash)"                      in ~/.bashrc
  zsh    eval "$(millpond completion zsh)"                       in ~/.zshrc, after compinit
  fish   millpond completion fish > ~/.config/fish/completions/millpond.fish`
