/** Which of memcached's test files judge its protocols, and which single tests judge its insides all the same. */

/** All that speak to a server of which they know no more than the protocol. Others are of slabs, extstore, proxy, TLS set-up, UDP, restarts. */
export const FILES: readonly string[] = (
  'ascii-auth binary binary-get bogus-commands cas chunked-items dash-M evictions expirations flags flush-all getandtouch getset ' +
  'idle-timeout incrdecr issue_104 issue_108 issue_14 issue_152 issue_163 issue_183 issue_192 issue_22 issue_29 issue_3 issue_41 ' +
  'issue_42 issue_50 issue_61 issue_68 issue_70 item_size_max line-lengths malicious-commands metaget multiversioning noreply quit ' +
  'shutdown stats stats-conns stats-detail strtol-testing touch unixsocket 00-startup'
).split(' ')

const RECLAIMED = 'counts how memcached reuses the chunk of an item that has expired'
const SLABS = 'counts by slab class; here items of all sizes share one memory'

/** By file and number of the test. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'flush-all 27': 'wants that without cas (-C) a flush takes what is stored after it in the same second',
  'issue_163 4': RECLAIMED,
  'issue_183 5': RECLAIMED,
  'issue_22 43': SLABS,
  'issue_22 84': SLABS,
  'issue_42 11': SLABS,
  'issue_61 7': 'counts how often memcached lets other connections go first (-R); here each read is served whole',
  'stats 106':
    'an item that is stored with a life that is over is not kept until somebody asks for it, so nobody finds it expired',
  'stats 111': 'a flush lets go of all items at once, so nobody finds one of them flushed',
  'stats-conns 10': 'there is no UDP',
}

/** Why a test need not pass; `undefined`: it must. */
export function exceptionOf(test: string): string | undefined {
  return EXCEPTIONS[test]
}
