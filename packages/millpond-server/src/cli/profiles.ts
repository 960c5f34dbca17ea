/** Places that the command line knows by name: a file of the user's, which nobody else may read because tokens are in it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { OptionError } from 'millpond/core'

/** A service, and who one is there. */
export interface Profile {
  readonly url: string
  /** The certificate that is trusted, in PEM. */
  readonly ca?: string
}

/** All profiles, and which one is meant where none is named. */
export interface Profiles {
  readonly current?: string
  readonly profiles: Readonly<Record<string, Profile>>
}

/** `~/.config/millpond/profiles.json`, or below XDG_CONFIG_HOME. */
export function profilesFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'millpond', 'profiles.json')
}

/** @throws OptionError where the file is no such */
export function readProfiles(file: string = profilesFile()): Profiles {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { profiles: {} }
  }
  try {
    const { current, profiles } = JSON.parse(text) as Profiles
    if (typeof profiles === 'object' && profiles !== null)
      return { profiles, ...(current !== undefined && { current }) }
  } catch {
    // Said below.
  }
  throw new OptionError('profiles', file, 'it is damaged: remove it, and save profiles anew by millpond profile save')
}

export function writeProfiles(profiles: Profiles, file: string = profilesFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(profiles, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Adds a profile, or replaces it, and makes it the current one if that is wished or there is none. */
export function saveProfile(name: string, profile: Profile, use: boolean, file?: string): void {
  const known = readProfiles(file)
  const current = use || known.current === undefined ? name : known.current
  writeProfiles({ current, profiles: { ...known.profiles, [name]: profile } }, file)
}

/** @throws OptionError where there is none of this name */
export function profileNamed(name: string, file?: string): Profile {
  const { profiles } = readProfiles(file)
  const profile = profiles[name]
  if (profile !== undefined) return profile
  const known = Object.keys(profiles).join(', ') || 'none'
  throw new OptionError(
    'profile',
    name,
    `there is no such profile (known: ${known}); save one by millpond profile save`,
  )
}
