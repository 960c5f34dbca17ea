import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import net from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from './postgres.ts'
import { embeddedBinaries, systemBinaries } from './postgres-binaries.ts'

const places = { system: systemBinaries, embedded: embeddedBinaries }
// `npm test` gets the system's where it may; who runs it without root has those of the npm package.
const present = (['system', 'embedded'] as const).filter((place) => places[place]() !== undefined)

test('there are binaries to run', () => expect(present).not.toEqual([]))

describe.each(present)('a throw-away server from %s binaries', (binaries) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ binaries, settings: { work_mem: '5MB' } })
  })
  afterAll(() => server.destroy())

  const ask = async (text: string): Promise<unknown> => {
    const client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    const { rows } = await client.query({ text, rowMode: 'array' })
    await client.end()
    return rows[0]?.[0]
  }

  test('answers, with logical decoding and the settings that were asked for', async () => {
    expect(await ask('SHOW wal_level')).toBe('logical')
    expect(await ask('SHOW work_mem')).toBe('5MB')
    expect(Number(await ask('SHOW server_version_num'))).toBeGreaterThanOrEqual(server.majorVersion * 10_000)
  })

  test('keeps its data and port over a restart and a crash', async () => {
    await ask('CREATE TABLE kept (id int)')
    const { port, pid } = server
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await ask('INSERT INTO kept VALUES (1)')
    await server.crash()
    await expect(ask('SELECT 1')).rejects.toThrow(/ECONNREFUSED/)
    await server.restart()
    expect(server.port).toBe(port)
    expect(await ask('SELECT count(*) FROM kept')).toBe('1')
    expect(server.log()).toMatch(/not properly shut down/)
  })

  test('leaves nothing behind', async () => {
    const { dataDir, port } = server
    await server.destroy()
    await server.destroy()
    expect(existsSync(dataDir)).toBe(false)
    const socket = net.connect(port, '127.0.0.1')
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })
})

test('a setting that the server refuses is reported in its own words', async () => {
  await expect(startPostgres({ settings: { wal_level: 'nonsense' } })).rejects.toThrow(/wal_level/)
})

test('a server does not outlive a process that is killed', async () => {
  const module = new URL('./postgres.ts', import.meta.url).href
  const script = `const { startPostgres } = await import(${JSON.stringify(module)})
    const server = await startPostgres(); console.log(server.port); setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const socket = net.connect(Number(String(line)), '127.0.0.1')
  await once(socket, 'connect')
  owner.kill('SIGKILL')
  // The server closes a connection that has said nothing only because it ends.
  await once(socket.resume(), 'close')
  expect(socket.destroyed).toBe(true)
})
