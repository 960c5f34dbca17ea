/** Managed services, told by roles that only they have: there SQL does not change the server's settings. */
import type { ServerFacts } from './server-facts.ts'

export interface Service {
  readonly name: string
  /** What to do instead of `ALTER SYSTEM SET wal_level`. */
  readonly walLevel: string
  /** What lets a role replicate. */
  grant(role: string): string
}

const byAlter = (role: string): string => `ALTER ROLE ${role} WITH REPLICATION;`

const SERVICES: Readonly<Record<string, Service>> = {
  rds_superuser: {
    name: 'Amazon RDS or Aurora',
    walLevel: 'set rds.logical_replication = 1 in the parameter group, and reboot',
    grant: (role) => `GRANT rds_replication TO ${role};`,
  },
  cloudsqlsuperuser: {
    name: 'Google Cloud SQL',
    walLevel: 'set the flag cloudsql.logical_decoding = on, which restarts the server',
    grant: byAlter,
  },
  azure_pg_admin: {
    name: 'Azure Database for PostgreSQL',
    walLevel: 'set the server parameter wal_level = logical, and restart',
    grant: byAlter,
  },
  supabase_admin: { name: 'Supabase', walLevel: 'it is logical as it comes; ask its support', grant: byAlter },
  neon_superuser: {
    name: 'Neon',
    walLevel: 'switch logical replication on in the settings of the project',
    grant: byAlter,
  },
}

export function serviceOf({ serviceRoles }: Pick<ServerFacts, 'serviceRoles'>): Service | undefined {
  return serviceRoles.map((role) => SERVICES[role]).find((service) => service !== undefined)
}
