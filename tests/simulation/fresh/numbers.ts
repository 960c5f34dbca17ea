/** The table that is read and written, and the list of all that was ever committed to it. */

export const CREATE: readonly string[] = [
  'CREATE TABLE numbers (id int PRIMARY KEY, n int8 NOT NULL)',
  'CREATE TABLE ledger (id int NOT NULL, n int8 NOT NULL)',
]

export const BY_KEY = 'SELECT n FROM numbers WHERE id = $1'
export const BETWEEN = 'SELECT id, n FROM numbers WHERE id BETWEEN $1 AND $2'

/** One run of a server: after a crash or a failover it is another. */
const SERVER = 'pg_postmaster_start_time()::text'

export const SERVER_OF = `SELECT ${SERVER} AS server`

/** Gives row $1 the version $2, or one more than it has, and notes it in the ledger. */
export const UPDATE = `WITH changed AS (UPDATE numbers SET n = greatest(n + 1, $2) WHERE id = $1 RETURNING id, n)
  INSERT INTO ledger SELECT id, n FROM changed RETURNING n, ${SERVER} AS server`
