/** The table that the suite `feed` writes to and reads from: `ROWS` rows in tenants of ten, each with a version. */

import pg from 'pg'

export const ROWS = 10_000
export const ROWS_OF_A_TENANT = 10

/** What the contenders read. */
export const QUERY = 'SELECT id, tenant, name, version FROM items WHERE id = $1'

/** Makes the table anew, with its old values in the log, so that changes can be told apart by any column. */
export async function makeTable(url: string, rows: number = ROWS): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(`
      DROP TABLE IF EXISTS items;
      CREATE TABLE items (id int PRIMARY KEY, tenant int NOT NULL, name text NOT NULL, version int NOT NULL);
      ALTER TABLE items REPLICA IDENTITY FULL;
      INSERT INTO items SELECT i, i / ${ROWS_OF_A_TENANT}, 'item ' || i, 0 FROM generate_series(0, ${rows - 1}) i;
      ANALYZE items`)
  } finally {
    await client.end()
  }
}
