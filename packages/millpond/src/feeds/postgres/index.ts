/** `millpond/postgres`: a cache that is told by PostgreSQL itself what has changed. */
export type { PgModule, Queryable } from './client.ts'
export { type PostgresFeed, postgresFeed } from './feed.ts'
export { dropNotifyTriggersSql, notifyTriggersSql } from './notify-triggers.ts'
export type { PostgresFeedOptions } from './options.ts'
export { positionOf } from './position.ts'
export type { PostgresFeedStatus } from './status.ts'
export { type KeyPart, rowTag, type TableName } from './tags.ts'
