/** `millpond profile`: places by name, so that commands need not be told where the service is. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { OptionError } from 'millpond/core'
import { columns } from '../columns.ts'
import { addGroup } from '../group.ts'
import { print, printJson } from '../print.ts'
import { profileNamed, profilesFile, readProfiles, saveProfile, writeProfiles } from '../profiles.ts'

/** Adds `profile` and its commands to the program. */
export function addProfileCommands(program: Command): void {
  const group = addGroup(program, 'profile', 'keep places by name, and say which one is meant')
  group
    .command('save')
    .description('keep a place, and use it from now on')
    .argument('<name>')
    .argument('<url>', 'millpond://cache:token@host:6379')
    .option('--ca <file>', 'the certificate to trust')
    .option('--keep-current', 'go on with the one that is used now')
    .action(save)
  group.command('list').description('what is kept').option('--json', 'print JSON').action(list)
  group.command('use').description('use another one from now on').argument('<name>').action(use)
  group.command('delete').description('forget one').argument('<name>').action(forget)
}

function save(name: string, url: string, flags: { ca?: string; keepCurrent?: boolean }): void {
  if (!/^[a-z]+:\/\//.test(url))
    throw new OptionError('url', url.replace(/^.*@/s, '…@'), 'write millpond://cache:token@host:6379')
  const ca = flags.ca === undefined ? {} : { ca: readFileSync(flags.ca, 'utf8') }
  saveProfile(name, { url, ...ca }, !flags.keepCurrent)
  print(`saved ${name} in ${profilesFile()}`)
}

function list(flags: { json?: boolean }): void {
  const { current, profiles } = readProfiles()
  const all = Object.entries(profiles).map(([name, { url, ca }]) => ({ name, url: hidden(url), ca: ca !== undefined, current: name === current })) // biome-ignore format: one line
  if (flags.json) printJson(all)
  else for (const line of columns(['', 'profile', 'url'], all.map((one) => [one.current ? '*' : '', one.name, one.url]))) print(line) // biome-ignore format: one line
}

function use(name: string): void {
  profileNamed(name)
  writeProfiles({ ...readProfiles(), current: name })
  print(`commands go to ${name} from now on`)
}

function forget(name: string): void {
  profileNamed(name)
  const { current, profiles } = readProfiles()
  const others = Object.fromEntries(Object.entries(profiles).filter(([other]) => other !== name))
  writeProfiles({ profiles: others, ...(current !== name && current !== undefined && { current }) })
  print(`forgot ${name}`)
}

/** Without the token. */
function hidden(url: string): string {
  return url.replace(/^([a-z+]+:\/\/[^:@/]*):[^@/]*@/s, '$1:…@')
}
