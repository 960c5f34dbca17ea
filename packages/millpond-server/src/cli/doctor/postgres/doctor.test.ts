import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { postgresFeed } from 'millpond/postgres'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import type { Diagnosis } from './doctor.ts'
import { type Finding, isToBeChanged } from './finding.ts'

const SECRET = 'sesame 42'

/** What the command prints for these arguments, and its exit code. */
async function millpond(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', '']
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((out += String(text)))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((error += String(text)))),
  ]
  try {
    const { run } = await import('../../program.ts')
    return { code: await run(['doctor', 'postgres', ...args]), out, error }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

async function diagnosed(...args: string[]): Promise<Diagnosis & { code: number }> {
  const { code, out, error } = await millpond(...args, '--json')
  expect(error).toBe('')
  return { ...(JSON.parse(out) as Diagnosis), code }
}

const verdictsOf = ({ findings }: Diagnosis, about: string): string[] =>
  findings.filter((finding) => finding.about === about).map(({ verdict }) => verdict)

function only({ findings }: Diagnosis, about: string): Finding {
  const found = findings.filter((finding) => finding.about === about)
  expect(found, about).toHaveLength(1)
  return found[0]!
}

const faultsOf = ({ findings }: Diagnosis): string[] =>
  findings.filter(isToBeChanged).map(({ about, says }) => `${about}: ${says}`)

describe.each(['system', 'embedded'] as const)('millpond doctor postgres (%s)', (binaries) => {
  let server: PostgresServer
  let admin: pg.Client
  let databases = 0
  /** The database of this test, and its roles: `keeper` owns the tables, `app` is the application. */
  let database: string
  let owner: pg.Client
  let url: string

  beforeAll(async () => {
    server = await startPostgres({
      binaries,
      settings: { max_replication_slots: 2, max_wal_senders: 3, max_prepared_transactions: 2 },
    })
    admin = await open({})
    await admin.query(`CREATE ROLE keeper LOGIN; CREATE ROLE app LOGIN PASSWORD '${SECRET}'`)
  })
  afterAll(async () => {
    await admin?.end()
    await server?.destroy()
  })
  beforeEach(async () => {
    database = `shop ${++databases}`
    await admin.query(`CREATE DATABASE "${database}" OWNER keeper`)
    await admin.query('ALTER ROLE app REPLICATION')
    owner = await open({ database, user: 'keeper' })
    url = server.urlOf({ database, user: 'app', password: SECRET })
  })
  afterEach(async () => {
    await owner?.end()
    await admin.query(`DROP DATABASE "${database}" WITH (FORCE)`)
  })

  async function open(target: { database?: string; user?: string }): Promise<pg.Client> {
    const client = new pg.Client(server.urlOf(target))
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** What has to be changed, done as the doctor says it, by somebody who may. */
  async function apply(findings: readonly Finding[]): Promise<void> {
    const superuser = await open({ database })
    for (const { fix } of findings.filter(isToBeChanged)) for (const sql of fix?.sql ?? []) await superuser.query(sql)
    await superuser.end()
  }

  /** Everything that a visit could have changed. */
  async function fingerprint(): Promise<unknown> {
    const superuser = await open({ database })
    const { rows } = await superuser.query(`SELECT
      (SELECT json_agg(p) FROM pg_publication p) AS publications, (SELECT json_agg(s.slot_name) FROM pg_replication_slots s) AS slots,
      (SELECT json_agg(json_build_array(oid, xmin)) FROM pg_class WHERE oid >= 16384) AS tables,
      (SELECT json_agg(json_build_array(oid, xmin)) FROM pg_authid) AS roles, pg_snapshot_xmax(pg_current_snapshot()) AS transactions,
      (SELECT json_agg(json_build_array(oid, xmin)) FROM pg_proc WHERE oid >= 16384) AS functions`)
    await superuser.end()
    return rows
  }

  const good = `CREATE SCHEMA "Odd ""Shop"; CREATE TABLE orders (id int PRIMARY KEY); ALTER TABLE orders REPLICA IDENTITY FULL;
    CREATE TABLE "Odd ""Shop"."Line items" (id int PRIMARY KEY, n int); GRANT USAGE ON SCHEMA "Odd ""Shop" TO app;
    GRANT SELECT ON orders, "Odd ""Shop"."Line items" TO app`

  test('a good set-up: nothing to be changed, exit code 0, and a feed starts there', async () => {
    await owner.query(`${good}; CREATE PUBLICATION millpond FOR TABLE orders, "Odd ""Shop"."Line items"`)
    const before = await fingerprint()
    const diagnosis = await diagnosed(url)
    expect(faultsOf(diagnosis)).toEqual([])
    expect(diagnosis).toMatchObject({
      code: 0,
      role: 'app',
      mode: 'replication',
      where: `127.0.0.1:${server.port}/${database}`,
    })
    for (const about of [
      'version',
      'pooler',
      'wal-level',
      'slots',
      'walsenders',
      'role',
      'replication',
      'publication',
      'commits',
    ])
      expect(verdictsOf(diagnosis, about), about).toEqual(['good'])
    expect(verdictsOf(diagnosis, 'identity')).toEqual(['good', 'note'])
    const { out, code } = await millpond(url)
    expect({ code, end: out.trimEnd().split('\n').at(-1) }).toEqual({
      code: 0,
      end: 'All is well: a feed can start here.',
    })
    expect(out).toContain('\nALTER TABLE "Odd ""Shop"."Line items" REPLICA IDENTITY FULL;\n')
    expect(await fingerprint()).toEqual(before)
    await feedStarts({ publication: 'millpond' })
  })

  async function feedStarts(options: object): Promise<void> {
    await using feed = postgresFeed({ connectionString: url, ...options })
    await feed.ready()
    expect(feed.status().state).toBe('live')
  }

  test('a bad set-up: each thing is named with its SQL, nothing is changed; the SQL applied, all is well and a feed starts', async () => {
    await admin.query('ALTER ROLE app NOREPLICATION')
    await owner.query(`CREATE TABLE bare (n int); CREATE TABLE "un""ique" (id int NOT NULL UNIQUE);
      CREATE TABLE nameless (id int PRIMARY KEY); ALTER TABLE nameless REPLICA IDENTITY NOTHING;
      CREATE UNLOGGED TABLE quick (id int PRIMARY KEY)`)
    const args = [url, '--tables', 'bare,un"ique,nameless,quick']
    const before = await fingerprint()
    const diagnosis = await diagnosed(...args)
    expect(diagnosis.code).toBe(1)
    expect(only(diagnosis, 'role')).toMatchObject({ verdict: 'fault', fix: { sql: ['ALTER ROLE "app" REPLICATION;'] } })
    expect(only(diagnosis, 'tables')).toMatchObject({
      verdict: 'fault',
      fix: { sql: ['ALTER TABLE "public"."quick" SET LOGGED;'] },
    })
    const identities = diagnosis.findings.filter(({ about, verdict }) => about === 'identity' && verdict === 'fault')
    expect(identities.flatMap(({ fix }) => fix!.sql).toSorted()).toEqual([
      'ALTER TABLE "public"."bare" REPLICA IDENTITY FULL;',
      'ALTER TABLE "public"."nameless" REPLICA IDENTITY DEFAULT;',
      'ALTER TABLE "public"."un""ique" REPLICA IDENTITY USING INDEX "un""ique_id_key";',
    ])
    const publication = only(diagnosis, 'publication')
    expect(publication).toMatchObject({ verdict: 'fault', fix: { as: 'the owner of the tables, keeper' } })
    expect(publication.fix!.sql[0]).toMatch(/^CREATE PUBLICATION "millpond" FOR TABLE "public"."bare", /)
    expect(JSON.stringify(diagnosis)).not.toMatch(/CREATE PUBLICATION[^;]*ALL TABLES/)
    const { out } = await millpond(...args)
    for (const { fix } of diagnosis.findings)
      for (const sql of fix?.sql ?? []) expect(out).toContain(`\n${sql.trimEnd()}\n`)
    expect(await fingerprint()).toEqual(before)
    await apply(diagnosis.findings)
    // A table that was unlogged has an identity, and now belongs to the publication.
    const again = await diagnosed(...args)
    await apply(again.findings)
    expect(faultsOf(await diagnosed(...args))).toEqual([])
    await feedStarts({ tables: ['nameless'] })
  })

  test('tables without a key in a publication: writers fail now, and no more after the SQL', async () => {
    await owner.query(
      'CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE bare (n int); CREATE TABLE keyed (n int NOT NULL UNIQUE)',
    )
    await owner.query('INSERT INTO bare VALUES (1); INSERT INTO keyed VALUES (1)')
    const superuser = await open({ database })
    await superuser.query('CREATE PUBLICATION millpond FOR ALL TABLES')
    await superuser.end()
    await expect(owner.query('UPDATE bare SET n = 2')).rejects.toMatchObject({ code: '55000' })
    const diagnosis = await diagnosed(url, '--tables', 'orders')
    expect(diagnosis.code).toBe(1)
    expect(verdictsOf(diagnosis, 'writers')).toEqual(['fault', 'fault'])
    const all = only(diagnosis, 'publication')
    expect(all).toMatchObject({ verdict: 'warning', says: expect.stringContaining('FOR ALL TABLES') })
    expect(all.fix!.sql).toContain('CREATE PUBLICATION "millpond" FOR TABLE "public"."orders";')
    await apply(diagnosis.findings)
    await owner.query('UPDATE bare SET n = 2; UPDATE keyed SET n = 2')
    const after = await diagnosed(url, '--tables', 'orders')
    expect([after.code, verdictsOf(after, 'publication')]).toEqual([0, ['good']])
  })

  test('publications that leave something out', async () => {
    await owner.query(`CREATE TABLE orders (id int PRIMARY KEY, n int); CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9); CREATE TABLE more (id int PRIMARY KEY);
      CREATE PUBLICATION narrow FOR TABLE orders WHERE (id > 5), parted WITH (publish = 'insert', publish_via_partition_root);
      CREATE PUBLICATION columns FOR TABLE orders (id)`)
    const args = [url, '--publication', 'narrow', '--tables', 'orders,parted,more']
    const diagnosis = await diagnosed(...args)
    const says = diagnosis.findings
      .filter(({ about }) => about === 'publication')
      .map(({ verdict, says }) => `${verdict} ${says}`)
    expect(says).toEqual([
      expect.stringMatching(/^fault .*leaves out some kinds of change/),
      expect.stringMatching(/^fault .*TRUNCATE of single partitions/),
      expect.stringMatching(/^fault .*only some rows of the table orders/),
      expect.stringMatching(/^fault .*lacks the table more/),
    ])
    expect(only(diagnosis, 'parts').says).toMatch(/^The table parted has 1 partition\./)
    await apply(diagnosis.findings)
    expect(faultsOf(await diagnosed(...args))).toEqual([])
    await owner.query('GRANT SELECT ON orders, parted, more TO app')
    await feedStarts({ publication: 'narrow', tables: ['orders', 'parted', 'more'] })
    expect(only(await diagnosed(url, '--publication', 'columns'), 'publication')).toMatchObject({
      verdict: 'note',
      says: expect.stringContaining('only some columns of the table orders'),
    })
  })

  test('replica identities are told apart by what is known of old rows; row security and rights are noted', async () => {
    await owner.query(`CREATE TABLE full_rows (id int PRIMARY KEY); ALTER TABLE full_rows REPLICA IDENTITY FULL;
      CREATE TABLE by_key (id int PRIMARY KEY); CREATE TABLE by_index (id int PRIMARY KEY, tenant int NOT NULL, UNIQUE (tenant, id));
      ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_tenant_id_key;
      CREATE TABLE beside (id int PRIMARY KEY, code int NOT NULL UNIQUE); ALTER TABLE beside REPLICA IDENTITY USING INDEX beside_code_key;
      CREATE TABLE keyless (n int); ALTER TABLE keyless REPLICA IDENTITY FULL; ALTER TABLE keyless ENABLE ROW LEVEL SECURITY`)
    const diagnosis = await diagnosed(url)
    const identities = diagnosis.findings.filter(({ about }) => about === 'identity').map(({ says }) => says)
    expect(identities).toEqual([
      expect.stringMatching(/^The table full_rows: old and new values are known/),
      expect.stringMatching(/^The table by_key: of an old row the primary key is known/),
      expect.stringMatching(/^The table by_index: .* columns of an index are known/),
      expect.stringMatching(/^The table beside: the replica identity lacks the primary key/),
      expect.stringMatching(/^The table keyless: without a primary key each change voids everything/),
    ])
    expect(only(diagnosis, 'row-security')).toMatchObject({ verdict: 'note', says: expect.stringContaining('keyless') })
    expect(only(diagnosis, 'rights').fix!.sql).toContain(
      'GRANT SELECT ON "public"."beside", "public"."by_index", "public"."by_key", "public"."full_rows", "public"."keyless" TO "app";',
    )
    expect(only(diagnosis, 'publication').verdict).toBe('fault')
    // Who owns the tables need not do anything: the feed does it for him.
    await admin.query('ALTER ROLE keeper REPLICATION')
    const asOwner = await diagnosed(server.urlOf({ database, user: 'keeper' }))
    expect([asOwner.code, only(asOwner, 'publication').verdict]).toEqual([0, 'note'])
  })

  test('what cannot be told of: no such table, views, foreign and temporary parts', async () => {
    const superuser = await open({ database })
    await superuser.query(`CREATE VIEW seen AS SELECT 1 AS one; CREATE MATERIALIZED VIEW frozen AS SELECT 1 AS one;
      CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE EXTENSION postgres_fdw;
      CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far PARTITION OF parted FOR VALUES FROM (0) TO (9) SERVER away`)
    await superuser.end()
    const diagnosis = await diagnosed(url, '--tables', 'Nowhere,shop.items,seen,frozen,parted')
    const says = diagnosis.findings
      .filter(({ about }) => about === 'tables' || about === 'parts')
      .map(({ says }) => says)
    expect(says).toEqual([
      expect.stringMatching(/no table Nowhere/),
      expect.stringMatching(/no table shop.items/),
      expect.stringMatching(/frozen is a materialized view/),
      expect.stringMatching(/seen is a view: name the tables/),
      expect.stringMatching(/part far of parted is a foreign table/),
    ])
    expect(diagnosis.code).toBe(1)
  })

  test('slots and walsenders that are all taken; what holds up a slot; log that is kept', async () => {
    await owner.query(good)
    await admin.query("SELECT pg_create_physical_replication_slot('one'), pg_create_physical_replication_slot('two')")
    try {
      const diagnosis = await diagnosed(url)
      expect(only(diagnosis, 'slots')).toMatchObject({
        verdict: 'fault',
        fix: { sql: ['ALTER SYSTEM SET max_replication_slots = 10;'], also: 'then restart the server' },
      })
      expect(verdictsOf(diagnosis, 'walsenders')).toEqual(['good'])
    } finally {
      await admin.query("SELECT pg_drop_replication_slot('one'), pg_drop_replication_slot('two')")
    }
    await owner.query("BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'half'' done'")
    expect(only(await diagnosed(url), 'waits')).toMatchObject({
      verdict: 'note',
      says: expect.stringContaining("prepared transaction half' done"),
      fix: { sql: ["ROLLBACK PREPARED 'half'' done';"] },
    })
    await owner.query("ROLLBACK PREPARED 'half'' done'")
  })

  test('asynchronous commits, for all and for one role; a standby list that takes everybody', async () => {
    await admin.query('ALTER ROLE keeper SET synchronous_commit = off')
    expect(only(await diagnosed(url), 'commits').says).toMatch(/off for role keeper.*lsn: 'insert'/)
    await admin.query('ALTER ROLE keeper RESET synchronous_commit; ALTER ROLE app SET synchronous_commit = off')
    expect(only(await diagnosed(url), 'commits').says).toMatch(/^synchronous_commit is off/)
    await admin.query('ALTER ROLE app RESET synchronous_commit')
  })

  test('a role that may not ask for the identity of the server; a managed service has its own ways', async () => {
    const superuser = await open({ database })
    await superuser.query(
      'REVOKE EXECUTE ON FUNCTION pg_control_init() FROM PUBLIC; CREATE ROLE rds_superuser; CREATE ROLE rds_replication',
    )
    await admin.query('ALTER ROLE app NOREPLICATION')
    const diagnosis = await diagnosed(url)
    expect(only(diagnosis, 'role').fix!.sql).toEqual(['GRANT rds_replication TO "app";'])
    await superuser.query(only(diagnosis, 'role').fix!.sql[0]!)
    expect(verdictsOf(await diagnosed(url), 'role')).toEqual(['good'])
    await apply(diagnosis.findings.filter(({ about }) => about === 'identity'))
    expect(verdictsOf(await diagnosed(url), 'identity')).not.toContain('fault')
    await superuser.query(
      'DROP ROLE rds_superuser; DROP ROLE rds_replication; GRANT EXECUTE ON FUNCTION pg_control_init() TO PUBLIC',
    )
    await superuser.end()
  })

  test('event triggers that tell of DDL are a choice, and known when they are there', async () => {
    const found = only(await diagnosed(url), 'ddl')
    expect([found.verdict, found.fix!.as]).toEqual(['note', 'a superuser'])
    const superuser = await open({ database })
    await superuser.query(found.fix!.sql.join('\n'))
    expect(only(await diagnosed(url), 'ddl').verdict).toBe('good')
    await superuser.query('ALTER EVENT TRIGGER millpond_ddl_drop DISABLE')
    expect(only(await diagnosed(url), 'ddl').verdict).toBe('note')
    await superuser.end()
  })

  test('a pooler in between is told by the process number that it makes up', async () => {
    const pooler = await startPooler(server.port)
    const through = url.replace(`:${server.port}/`, `:${pooler.port}/`)
    const diagnosis = await diagnosed(through)
    expect(only(diagnosis, 'pooler')).toMatchObject({
      verdict: 'fault',
      says: expect.stringContaining('stands in between'),
    })
    expect(only(diagnosis, 'replication')).toMatchObject({
      verdict: 'fault',
      says: expect.stringContaining('unsupported startup parameter'),
    })
    expect(diagnosis.code).toBe(1)
    await pooler.close()
  })

  test('a connection that is refused: exit code 2, and no password in any output', async () => {
    const hba = join(server.dataDir, 'pg_hba.conf')
    const before = readFileSync(hba, 'utf8')
    writeFileSync(hba, before.replaceAll('trust', 'scram-sha-256'))
    const reload = (): Promise<unknown> => admin.query('SELECT pg_reload_conf()')
    try {
      await reload()
      const wrong = 'wrong horse'
      let refused = await millpond(server.urlOf({ database, user: 'app', password: wrong }))
      // The server reads its rules a moment after it was told to.
      while (refused.code !== 2) refused = await millpond(server.urlOf({ database, user: 'app', password: wrong }))
      expect(refused).toMatchObject({
        code: 2,
        out: '',
        error: expect.stringMatching(/cannot connect to 127.0.0.1.*password authentication failed/),
      })
      expect(refused.error).not.toContain(wrong)
      const right = await millpond(url)
      expect(right.code).not.toBe(2)
      for (const { out, error } of [right, await millpond(url, '--json')]) {
        expect(out + error).not.toContain(SECRET)
        expect(out + error).not.toContain(encodeURIComponent(SECRET))
      }
    } finally {
      writeFileSync(hba, before)
      await reload()
    }
    const nowhere = await millpond('postgres://app:horse@127.0.0.1:1/shop')
    expect(nowhere).toMatchObject({
      code: 2,
      out: '',
      error: expect.stringMatching(/cannot connect to 127.0.0.1:1\/shop: .*ECONNREFUSED/),
    })
    const noUrl = await millpond('postgres//app:horse@127.0.0.1')
    expect(noUrl).toMatchObject({ code: 2, out: '', error: expect.stringContaining('give postgres://') })
    expect(nowhere.error + noUrl.error).not.toContain('horse')
  })
})

describe.each(['system', 'embedded'] as const)('a server that does not log rows (%s)', (binaries) => {
  test('wal_level is named; the triggers are a way out; after SQL and restart all is well; a standby is refused', async () => {
    await using server = await startPostgres({ binaries, settings: { wal_level: undefined } })
    appendFileSync(join(server.dataDir, 'postgresql.conf'), "wal_level = 'replica'\n")
    const client = async (): Promise<pg.Client> => {
      const opened = new pg.Client(server.url)
      opened.on('error', () => {})
      await opened.connect()
      return opened
    }
    const admin = await client()
    await admin.query(
      'CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)',
    )
    const diagnosis = await diagnosed(server.url)
    expect(only(diagnosis, 'wal-level')).toMatchObject({
      verdict: 'fault',
      fix: { sql: ["ALTER SYSTEM SET wal_level = 'logical';"], also: 'then restart the server' },
    })
    const triggers = only(diagnosis, 'triggers')
    expect(triggers).toMatchObject({ verdict: 'note', says: expect.stringContaining("mode: 'triggers'") })

    const inMode = [server.url, '--mode', 'triggers', '--tables', 'orders,parted']
    const lacking = await diagnosed(...inMode)
    expect([lacking.code, only(lacking, 'triggers').verdict]).toEqual([1, 'fault'])
    await admin.query(only(lacking, 'triggers').fix!.sql.join('\n'))
    expect(faultsOf(await diagnosed(...inMode))).toEqual([])
    await admin.query('CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9)')
    expect(only(await diagnosed(...inMode), 'triggers').says).toMatch(/not on the table parted, or on a part/)

    await admin.query('CREATE ROLE rds_superuser')
    expect(only(await diagnosed(server.url), 'wal-level').says).toContain('rds.logical_replication = 1')
    await admin.query('DROP ROLE rds_superuser')
    for (const sql of only(diagnosis, 'wal-level').fix!.sql) await admin.query(sql)
    await server.restart()
    expect(faultsOf(await diagnosed(server.url))).toEqual([])

    await server.stop()
    writeFileSync(join(server.dataDir, 'standby.signal'), '')
    await server.restart()
    const standby = await diagnosed(server.url)
    expect([standby.code, standby.findings.map(({ about }) => about)]).toEqual([1, ['version', 'standby']])
  })
})

test('arguments that cannot be understood: exit code 2', async () => {
  expect(await millpond('--mode', 'both')).toMatchObject({
    code: 2,
    out: '',
    error: expect.stringContaining('replication or triggers'),
  })
  expect(await millpond('--tables', 'a.b.c')).toMatchObject({
    code: 2,
    error: expect.stringContaining('orders or shop.items'),
  })
  expect((await millpond('--help')).out).toContain('Exit code: 0 all is well')
})

/** As a pooler in transaction mode: it announces a process number of its own, and lets no replication through. */
async function startPooler(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<net.Socket>()
  const pooler = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.once('data', (startup) => {
      if (startup.includes('replication')) return near.end(refusal('unsupported startup parameter: replication'))
      far.write(startup)
      near.pipe(far)
    })
    far.on('data', (bytes) => near.write(withOtherProcess(bytes)))
    far.on('close', () => near.destroy())
    near.on('close', () => far.destroy())
  })
  await new Promise<void>((resolve) => pooler.listen(0, '127.0.0.1', resolve))
  return {
    port: (pooler.address() as net.AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => pooler.close(() => resolve()))
    },
  }
}

function refusal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`)
  const head = Buffer.from([0x45, 0, 0, 0, 0])
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

/** The message BackendKeyData ('K', length 12) with another number in it. */
function withOtherProcess(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at >= 0) bytes.writeInt32BE(1, at + 5)
  return bytes
}
