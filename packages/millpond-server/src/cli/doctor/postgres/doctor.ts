/** `millpond doctor postgres`: reads what a server and its tables are like, and says what is to be changed. Changes nothing. */
import type { Client } from 'pg'
import { connect, NoConnection, placeOf, tryReplication } from './connection.ts'
import { Families } from './families.ts'
import { type Finding, fault, isToBeChanged } from './finding.ts'
import { judgeIdentities } from './judge-identities.ts'
import { judgePublication } from './judge-publication.ts'
import { judgeReplication, judgeServer, judgeVersion } from './judge-server.ts'
import { judgeTables } from './judge-tables.ts'
import { judgeDdl, judgeTriggers, proposeTriggers } from './judge-triggers.ts'
import { report } from './report.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import { readCatalogFacts, type TableName } from './table-facts.ts'

export interface PostgresFlags {
  tables?: string[]
  publication: string
  mode: 'replication' | 'triggers'
  json?: boolean
}

export interface Diagnosis {
  /** Host, port and database. */
  readonly where: string
  readonly role: string
  readonly server: string
  readonly mode: 'replication' | 'triggers'
  readonly findings: readonly Finding[]
}

const EXIT_TO_BE_CHANGED = 1
const EXIT_NO_CONNECTION = 2

/** Prints the diagnosis and returns the exit code. */
export async function doctorPostgres(url: string | undefined, flags: PostgresFlags): Promise<number> {
  try {
    const diagnosis = await diagnose(url ?? process.env.DATABASE_URL, flags)
    process.stdout.write(
      flags.json ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : `${report(diagnosis).join('\n')}\n`,
    )
    return diagnosis.findings.some(isToBeChanged) ? EXIT_TO_BE_CHANGED : 0
  } catch (error) {
    if (!(error instanceof NoConnection)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return EXIT_NO_CONNECTION
  }
}

/** @throws NoConnection */
export async function diagnose(url: string | undefined, flags: PostgresFlags): Promise<Diagnosis> {
  const client = await connect(url)
  try {
    // The server itself refuses changes from here on; at its end nothing is left, on a pooler's connection neither.
    // Compiling our queries (jit) would take seconds: their cost is overestimated.
    await client.query('BEGIN TRANSACTION READ ONLY; SET LOCAL jit = off')
    const facts = await readServerFacts(client)
    const findings = await judge(client, facts, url, flags)
    return { where: placeOf(client), role: facts.role, server: facts.versionText, mode: flags.mode, findings }
  } finally {
    await client.end().catch(() => {})
  }
}

async function judge(
  client: Client,
  facts: ServerFacts,
  url: string | undefined,
  { tables, publication: name, mode }: PostgresFlags,
): Promise<Finding[]> {
  if (facts.standby) return [judgeVersion(facts), standby(facts)]
  const asked = tables?.map(tableName)
  const catalog = await readCatalogFacts(client, asked, name, facts.version)
  const families = new Families(catalog.tables)
  const { processID } = client as Client & { processID?: number }
  const always = [...judgeServer(facts, processID), ...judgeTables(families, asked, facts.role)]
  if (mode === 'triggers') return [...always, ...judgeTriggers(families), judgeDdl(facts)]
  const found = judgeReplication(facts)
  const isReady = !found.some(({ about, verdict }) => verdict === 'fault' && ['role', 'walsenders'].includes(about))
  return [
    ...always,
    ...found,
    ...(isReady ? [await tryReplication(url, client)] : []),
    ...judgeIdentities(families, catalog),
    ...judgePublication(catalog, { name, families, mayPublish: facts.mayPublish }),
    ...(facts.walLevel === 'logical' ? [] : proposeTriggers(families)),
    judgeDdl(facts),
  ]
}

function standby({ primaryHost }: ServerFacts): Finding {
  const where = primaryHost === null ? '' : ` It receives from ${primaryHost}.`
  return fault('standby', `This is a standby: a feed reads the primary.${where} Ask again there.`)
}

function tableName(text: string): TableName {
  const [first, second] = text.split('.')
  return second === undefined ? { schema: 'public', table: first! } : { schema: first!, table: second }
}
