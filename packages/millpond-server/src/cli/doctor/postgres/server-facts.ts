/** What the server and the role are like: everything that is judged of them, read by one query that changes nothing. */
import type { Client } from 'pg'

export interface ServerFacts {
  /** For example 150018. */
  readonly version: number
  readonly versionText: string
  readonly database: string
  readonly role: string
  readonly superuser: boolean
  readonly replication: boolean
  readonly standby: boolean
  /** Where a standby receives from, if the role may know. */
  readonly primaryHost: string | null
  /** The server process that answered. */
  readonly answeringPid: number
  readonly clientAddress: string | null
  readonly walLevel: string
  /** The setting was changed, and takes effect with a restart. */
  readonly walLevelPending: boolean
  readonly slotsMax: number
  readonly sendersMax: number
  readonly sendersUsed: number
  readonly slots: readonly SlotFacts[]
  readonly synchronousCommit: string
  /** Roles and databases that are set to commit asynchronously. */
  readonly asynchronous: readonly string[]
  readonly synchronousStandbys: string
  /** Whether the role may make a publication in this database, and ask for the identity of the server. */
  readonly mayPublish: boolean
  readonly mayIdentify: boolean
  /** Roles that only managed services have, and whether ours is a member of the one that may replicate on Amazon RDS. */
  readonly serviceRoles: readonly string[]
  readonly rdsReplication: boolean
  /** The event triggers that tell of DDL are there, and enabled for what comes by replication too. */
  readonly tellsDdl: boolean
  /** Transactions that have been writing for longer than five seconds, and prepared ones. */
  readonly writing: readonly { readonly pid: number; readonly application: string; readonly seconds: number }[]
  readonly prepared: readonly { readonly gid: string; readonly seconds: number }[]
}

export interface SlotFacts {
  readonly name: string
  readonly active: boolean
  readonly temporary: boolean
  /** Bytes of log that the server keeps for it. */
  readonly kept: number
}

export async function readServerFacts(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<{ facts: ServerFacts }>(SERVER_SQL)
  return rows[0]!.facts
}

const SETTINGS = `
  'version', current_setting('server_version_num')::int, 'versionText', current_setting('server_version'),
  'walLevel', current_setting('wal_level'), 'slotsMax', current_setting('max_replication_slots')::int,
  'walLevelPending', (SELECT pending_restart FROM pg_settings WHERE name = 'wal_level'),
  'sendersMax', current_setting('max_wal_senders')::int, 'synchronousCommit', current_setting('synchronous_commit'),
  'synchronousStandbys', current_setting('synchronous_standby_names')`

const ROLE = `
  'role', current_user, 'superuser', r.rolsuper, 'replication', r.rolreplication, 'database', current_database(),
  'mayPublish', has_database_privilege(current_database(), 'CREATE'),
  'mayIdentify', has_function_privilege('pg_control_system()', 'EXECUTE') AND has_function_privilege('pg_control_init()', 'EXECUTE'),
  'serviceRoles', (SELECT coalesce(json_agg(rolname), '[]') FROM pg_roles
    WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'supabase_admin', 'neon_superuser')),
  'rdsReplication', EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(oid, 'MEMBER'))`

const ASYNCHRONOUS = `
  SELECT coalesce(json_agg(concat_ws(' in ', coalesce('role ' || rolname, 'all roles'), 'database ' || datname)), '[]')
  FROM pg_db_role_setting LEFT JOIN pg_roles o ON o.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase
  WHERE 'synchronous_commit=off' = ANY (setconfig)`

const SLOTS = `
  SELECT coalesce(json_agg(json_build_object('name', slot_name, 'active', active, 'temporary', temporary, 'kept',
    CASE WHEN pg_is_in_recovery() OR restart_lsn IS NULL THEN 0 ELSE pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn) END)), '[]')
  FROM pg_replication_slots`

/** Both hold up the making of a slot: it waits for all that write when it begins. */
const WRITING = `
  SELECT coalesce(json_agg(json_build_object('pid', pid, 'application', application_name,
    'seconds', extract(epoch FROM now() - xact_start)::int)), '[]')
  FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND xact_start < now() - interval '5 seconds'`

const PREPARED = `
  SELECT coalesce(json_agg(json_build_object('gid', gid, 'seconds', extract(epoch FROM now() - prepared)::int)), '[]')
  FROM pg_prepared_xacts`

const SERVER_SQL = `
  SELECT json_build_object(${SETTINGS}, ${ROLE}, 'standby', pg_is_in_recovery(), 'answeringPid', pg_backend_pid(),
    'primaryHost', (SELECT sender_host FROM pg_stat_wal_receiver), 'clientAddress', host(inet_client_addr()),
    'sendersUsed', (SELECT count(*) FROM pg_stat_replication), 'slots', (${SLOTS}), 'asynchronous', (${ASYNCHRONOUS}),
    'tellsDdl', (SELECT count(*) = 2 FROM pg_event_trigger WHERE evtname IN ('millpond_ddl', 'millpond_ddl_drop') AND evtenabled = 'A'),
    'writing', (${WRITING}), 'prepared', (${PREPARED})) AS facts
  FROM pg_roles r WHERE r.rolname = current_user`
