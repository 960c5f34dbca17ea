/**
 * The SQL by which DDL is told in commit order: event triggers that leave a row in a table of their own, of which the feed
 * tells as of any other. Without them DDL is found by looking at the catalog every few seconds.
 */

/** The table, and the tag that every commit with DDL gives. */
export const DDL_TABLE = 'millpond_ddl'

/**
 * SQL that has PostgreSQL tell of DDL. Run it once in the database, as a superuser; again is harmless. Then name
 * `'millpond_ddl'` among the feed's `tables`.
 *
 * Each command leaves a row: `CREATE`, `ALTER` and `DROP` of anything that is not temporary, `GRANT`, `REFRESH MATERIALIZED VIEW`.
 * Every cached query depends on that table, so DDL voids them all. For entries of your own, put the tag `millpond_ddl`
 * on those that DDL concerns, such as what is read from materialized views.
 */
export function ddlTriggersSql(): string {
  return `
CREATE TABLE IF NOT EXISTS public.${DDL_TABLE} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), command text NOT NULL);

CREATE OR REPLACE FUNCTION public.${DDL_TABLE}() RETURNS event_trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $millpond$
BEGIN
  IF TG_EVENT = 'sql_drop' THEN
    IF NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary) THEN RETURN; END IF;
  ELSIF NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp') THEN
    RETURN;
  END IF;
  INSERT INTO public.${DDL_TABLE} (command) VALUES (TG_TAG);
END
$millpond$;

DROP EVENT TRIGGER IF EXISTS ${DDL_TABLE};
DROP EVENT TRIGGER IF EXISTS ${DDL_TABLE}_drop;
CREATE EVENT TRIGGER ${DDL_TABLE} ON ddl_command_end EXECUTE FUNCTION public.${DDL_TABLE}();
CREATE EVENT TRIGGER ${DDL_TABLE}_drop ON sql_drop EXECUTE FUNCTION public.${DDL_TABLE}();
ALTER EVENT TRIGGER ${DDL_TABLE} ENABLE ALWAYS;
ALTER EVENT TRIGGER ${DDL_TABLE}_drop ENABLE ALWAYS;
`.trimStart()
}

/** SQL that takes all of it away again. Take the table off the feed first. */
export function dropDdlTriggersSql(): string {
  return `
DROP EVENT TRIGGER IF EXISTS ${DDL_TABLE};
DROP EVENT TRIGGER IF EXISTS ${DDL_TABLE}_drop;
DROP FUNCTION IF EXISTS public.${DDL_TABLE}();
DROP TABLE IF EXISTS public.${DDL_TABLE};
`.trimStart()
}
