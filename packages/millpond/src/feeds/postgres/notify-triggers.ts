/** The SQL of mode `'triggers'`: what tells of changes on servers whose log cannot be read. */
import { OptionError } from '../../core/errors.ts'
import { literal, NOTIFY_FUNCTION } from './catalog.ts'
import { parseTable, quoteTable, type TableName } from './tags.ts'

/** The channel that the triggers notify on. */
export const NOTIFY_CHANNEL = 'millpond'

/**
 * SQL that puts the notify triggers on tables and on their partitions and children. Run it as the owner of the tables;
 * running it again is harmless, and needed after a partition was added.
 *
 * One trigger a statement, not a row, for INSERT, UPDATE, DELETE and TRUNCATE; enabled ALWAYS, so that rows that come
 * by replication count too. A transaction that changes a table notifies once. PostgreSQL delivers the notification
 * after the commit is visible. What it costs: notifying commits wait for one another, one after the other, in the
 * whole database cluster.
 *
 * @param tables `'orders'`, `'shop.orders'` or `{ schema, table }`
 */
export function notifyTriggersSql(tables: readonly (string | TableName)[]): string {
  if (tables.length === 0) throw new OptionError('tables', tables, 'name at least one table')
  const quoted = tables.map((table) => quoteTable(parseTable(table, 'tables')))
  const unquotable = quoted.find((name) => name.includes('$millpond$'))
  if (unquotable !== undefined)
    throw new OptionError('tables', unquotable, 'the text $millpond$ ends the quotation of this SQL')
  const names = quoted.map(literal).join(', ')
  return `
CREATE OR REPLACE FUNCTION ${NOTIFY_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $millpond$
BEGIN
  PERFORM pg_catalog.pg_notify('${NOTIFY_CHANNEL}', pg_catalog.json_build_array(TG_RELID::bigint)::text);
  RETURN NULL;
END
$millpond$;

DO $millpond$
DECLARE part regclass;
BEGIN
  FOR part IN
    WITH RECURSIVE parts(oid) AS (
      SELECT name::regclass::oid FROM unnest(ARRAY[${names}]) name
      UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts p ON i.inhparent = p.oid)
    SELECT oid::regclass FROM parts
  LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS ${NOTIFY_FUNCTION} ON %s', part);
    EXECUTE format('CREATE TRIGGER ${NOTIFY_FUNCTION} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
      'FOR EACH STATEMENT EXECUTE FUNCTION ${NOTIFY_FUNCTION}()', part);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ${NOTIFY_FUNCTION}', part);
  END LOOP;
END
$millpond$;
`.trimStart()
}

/** SQL that takes the triggers off the tables again. */
export function dropNotifyTriggersSql(tables: readonly (string | TableName)[]): string {
  return tables
    .map((table) => `DROP TRIGGER IF EXISTS ${NOTIFY_FUNCTION} ON ${quoteTable(parseTable(table, 'tables'))};\n`)
    .join('')
}
