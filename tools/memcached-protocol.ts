/**
 * `node --conditions=@millpond/source --import tsx tools/memcached-protocol.ts`: writes docs/memcached-protocol.md from what the
 * commands say of themselves. tests/memcached-protocol.test.ts checks that it was done.
 */
import { writeFileSync } from 'node:fs'
import { BINARY_COMMANDS } from '../packages/millpond-server/src/protocols/memcached/binary.ts'
import { metaCommands } from '../packages/millpond-server/src/protocols/memcached/meta.ts'
import { TEXT_COMMANDS } from '../packages/millpond-server/src/protocols/memcached/text.ts'

const HEAD = `# The memcached protocol

\`millpond serve --memcached-port 11211\` speaks memcached's protocol as memcached 1.6.18 does: text, the meta commands, and
binary, which the first byte of a connection tells apart. The tables below are made from the commands themselves, by
\`node --conditions=@millpond/source --import tsx tools/memcached-protocol.ts\`.

## The same items

What a client of memcached stores is what RESP and HTTP read, and the other way round: an item is a string of database 0 of
its cache.

- **Flags and cas** stand behind the bytes of the strings that have them, and nobody but memcached's clients sees them. A cas is
  given when it is first asked for; it is never given twice, also not after a restart. A write by another protocol makes the
  flags 0 and the cas another one, so a \`cas\` from before it fails, as it must. \`RENAME\` and \`COPY\` keep the flags.
- **Numbers** are the same: \`incr\` here and \`INCR\` there add to the same digits. Where \`decr\` makes a number shorter, memcached fills it
  with spaces; here it is only its digits, because Redis takes no number with spaces. Numbers wrap at 2^64, which is more than \`INCR\` takes.
- **A key with a collection** (a list, a hash and so on) is a miss for those who read. What would change a part of it (\`append\`,
  \`incr\`, \`mg\` with N) is answered by \`SERVER_ERROR WRONGTYPE ...\`; \`set\`, \`replace\`, \`delete\` and \`touch\` do what they say.
- **Times to live** are seconds up to 30 days, and moments since 1970 above; the item is gone to the millisecond. A cache's own default
  and longest time to live hold here, too.
- **\`flush_all\`** with a delay is \`FLUSHDB\` at that moment. A flush that is to come is not remembered over a restart.
- **Eviction** follows the cache's policy, whichever protocol has stored an item. \`stats items\` and \`stats slabs\` tell one class: items of
  all sizes share one memory. What memcached has no counterpart for here is 0 in \`stats\`.
- **On disk** the log has the Redis commands with the same effect, with the flags in a remark before them, and RDB files have them in a
  field that Redis passes over: redis-server loads both. A cas, stale marks and who has won are not kept.
- \`mg\` tells by h and l of reads by memcached's clients, and when an item was last used by anybody.

## Who is asked

A client says its cache and its token: by the first \`set\`, as memcached has it with \`-Y\`, or by SASL PLAIN in binary.

\`\`\`text
set any 0 0 27
shop eyJhbGciOiJFZERTQSJ9...
STORED
\`\`\`

Before that, where the server asks for it, text clients are answered nothing but \`CLIENT_ERROR unauthenticated\`, and binary ones
their mechanisms and the version. What a token allows is decided by the Redis command with the same effect, which the tables
name: \`get\` is let through to whom \`GET\` is, on the same keys. What is refused answers \`CLIENT_ERROR NOPERM ...\`. Wrong secrets are
answered later and later.

## Errors of the service

| answer | when |
|---|---|
| \`SERVER_ERROR out of memory storing object\` | the cache is full, and its policy lets nothing go |
| \`SERVER_ERROR object too large for cache\` | key and value are longer than the cache takes |
| \`SERVER_ERROR WRONGTYPE ...\` | a part of a collection was to be changed |
| \`SERVER_ERROR LIMIT ...\` | a token or a cache has used up its quota |
| \`SERVER_ERROR MISCONF ...\` | the log cannot be written |
| \`CLIENT_ERROR line too long\` | a line of more than 2 KiB has no end; of more than 8 MiB, if it asks for keys. The connection ends |
`

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function as(command: string): string {
  return command === '' ? '' : `\`${command.replace('|', ' ').toUpperCase()}\``
}

/** The whole page. */
export function page(): string {
  const meta = new Set(metaCommands)
  const rowsOf = (commands: typeof TEXT_COMMANDS): string[] =>
    commands.map(
      ({ name, syntax, as: redis, summary }) =>
        `| \`${cell(`${name} ${syntax}`.trim())}\` | ${as(redis)} | ${cell(summary)} |`,
    )
  const table = (title: string, rows: readonly string[], first: string): string =>
    [`## ${title}`, '', `| ${first} | as | what it does |`, '|---|---|---|', ...rows].join('\n')
  const binary = BINARY_COMMANDS.map(({ opcode, quietOpcode, name, as: redis, summary }) => {
    const hex = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`
    const quiet = quietOpcode === undefined ? '' : `, quiet ${hex(quietOpcode)}`
    return `| ${name} (${hex(opcode)}${quiet}) | ${as(redis)} | ${cell(summary)} |`
  })
  const chapters = [
    table('Text', rowsOf(TEXT_COMMANDS.filter((command) => !meta.has(command))), 'command'),
    table('Meta', rowsOf(metaCommands), 'command'),
    table('Binary', binary, 'command'),
  ]
  return `${[HEAD.trimEnd(), ...chapters].join('\n\n')}\n`
}

if (import.meta.filename === process.argv[1]) {
  writeFileSync(new URL('../docs/memcached-protocol.md', import.meta.url), page())
}
