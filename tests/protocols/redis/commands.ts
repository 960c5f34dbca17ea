/** The commands that are compared with Redis, as templates, and what their words are made of. */
import { type Maker, Template } from './grammar.ts'
import type { Random } from './random.ts'

const TEMPLATES = `
SET k v [(EX t|PX t|EXAT ahead|KEEPTTL)] [(NX|XX)] [GET]
GET k
GETSET k v
GETDEL k
GETEX k [(PERSIST|EXAT ahead|EX t)]
SETNX k v
SETEX k t v
PSETEX k t v
MSET {k v}
MSETNX {k v}
MGET {k}
APPEND k v
STRLEN k
GETRANGE k i i
SUBSTR k i i
SETRANGE k o v
INCR k
DECR k
INCRBY k n
DECRBY k n
INCRBYFLOAT k f
LCS k k [(LEN|IDX [MINMATCHLEN c] [WITHMATCHLEN])]
SETBIT k o b
GETBIT k o
BITCOUNT k [i i [(BYTE|BIT)]]
BITPOS k b [i [i [(BYTE|BIT)]]]
BITOP (AND|OR|XOR) k {k}
BITOP NOT k k
BITFIELD k {(GET w o|SET w o n|INCRBY w o n|OVERFLOW (WRAP|SAT|FAIL))}
BITFIELD_RO k {GET w o}
DEL {k}
UNLINK {k}
EXISTS {k}
TYPE k
TOUCH {k}
RENAME k k
RENAMENX k k
COPY k k [REPLACE]
EXPIRE k t [(NX|XX|GT|LT)]
EXPIREAT k u [(NX|XX|GT|LT)]
PEXPIREAT k u
PERSIST k
EXPIRETIME k
PEXPIRETIME k
TTL none
OBJECT ENCODING k
SORT k [LIMIT i c] [GET p] [(ASC|DESC)] [ALPHA]
SORT k BY star [LIMIT i c] [GET p] [(ASC|DESC)]
SORT k BY (p|nosort) [GET p] [(ASC|DESC)] [ALPHA]
SORT k ALPHA STORE k
KEYS p
DBSIZE
LPUSH k {m}
RPUSH k {m}
LPUSHX k {m}
RPUSHX k {m}
LPOP k [c]
RPOP k [c]
LLEN k
LRANGE k i i
LINDEX k i
LSET k i m
LREM k i m
LTRIM k i i
LINSERT k (BEFORE|AFTER) m m
LPOS k m [RANK i] [COUNT c] [MAXLEN c]
LMOVE k k (LEFT|RIGHT) (LEFT|RIGHT)
RPOPLPUSH k k
LMPOP 2 k k (LEFT|RIGHT) [COUNT c]
BLPOP k k 0.001
BLMOVE k k (LEFT|RIGHT) (LEFT|RIGHT) 0.001
HSET k {h v}
HMSET k {h v}
HSETNX k h v
HGET k h
HMGET k {h}
HGETALL k
HDEL k {h}
HLEN k
HEXISTS k h
HKEYS k
HVALS k
HSTRLEN k h
HINCRBY k h n
HINCRBYFLOAT k h f
SADD k {m}
SREM k {m}
SISMEMBER k m
SMISMEMBER k {m}
SCARD k
SMEMBERS k
SMOVE k k m
SINTER {k}
SUNION {k}
SDIFF {k}
SINTERSTORE k {k}
SUNIONSTORE k {k}
SDIFFSTORE k {k}
SINTERCARD 2 k k [LIMIT c]
ZADD k [(NX|XX)] [(GT|LT)] [CH] {s m}
ZADD k INCR s m
ZINCRBY k s m
ZREM k {m}
ZSCORE k m
ZMSCORE k {m}
ZRANK k m
ZREVRANK k m
ZCARD k
ZCOUNT k r r
ZADD lex {0 m}
ZLEXCOUNT lex x x
ZRANGE k i i [REV] [WITHSCORES]
ZRANGE k r r BYSCORE [REV] [LIMIT i c] [WITHSCORES]
ZRANGE lex x x BYLEX [REV] [LIMIT i c]
ZRANGESTORE k k i i
ZREVRANGE k i i [WITHSCORES]
ZRANGEBYSCORE k r r [WITHSCORES] [LIMIT i c]
ZREVRANGEBYSCORE k r r [WITHSCORES]
ZRANGEBYLEX lex x x [LIMIT i c]
ZREVRANGEBYLEX lex x x
ZREMRANGEBYRANK k i i
ZREMRANGEBYSCORE k r r
ZREMRANGEBYLEX lex x x
ZPOPMIN k [c]
ZPOPMAX k [c]
ZMPOP 2 k k (MIN|MAX) [COUNT c]
BZPOPMIN k k 0.001
ZUNION 2 k k [WEIGHTS s s] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
ZINTER 2 k k [WEIGHTS s s] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
ZDIFF 2 k k [WITHSCORES]
ZUNIONSTORE k 2 k k [WEIGHTS s s] [AGGREGATE (SUM|MIN|MAX)]
ZINTERSTORE k 2 k k
ZDIFFSTORE k 2 k k
ZINTERCARD 2 k k [LIMIT c]
GEOADD geo [(NX|XX)] [CH] {lon lat m}
GEOPOS geo {m}
GEODIST geo m m [(m|km|mi|ft)]
GEOHASH geo {m}
GEOSEARCH geo (FROMMEMBER m|FROMLONLAT lon lat) (BYRADIUS far km|BYBOX far far km) ASC [COUNT c] [WITHDIST] [WITHHASH]
GEOSEARCHSTORE zset geo FROMLONLAT lon lat BYRADIUS far m [STOREDIST]
GEORADIUS geo lon lat far km [WITHDIST] [WITHCOORD] ASC
GEORADIUSBYMEMBER geo m far km DESC
PFADD pf {m}
PFCOUNT {pf}
PFMERGE pf {pf}
XADD k [NOMKSTREAM] [(MAXLEN c|MINID d)] d {h v}
XLEN k
XRANGE k e e [COUNT c]
XREVRANGE k e e [COUNT c]
XDEL k {d}
XTRIM k (MAXLEN c|MINID d)
XSETID k d
XREAD [COUNT c] STREAMS k k d d
XGROUP CREATE k g (d|$) [MKSTREAM]
XGROUP CREATECONSUMER k g a
XGROUP DELCONSUMER k g a
XGROUP DESTROY k g
XGROUP SETID k g d
XREADGROUP GROUP g a [COUNT c] [NOACK] STREAMS k (>|d)
XACK k g {d}
XPENDING k g
XPENDING k g e e c
XCLAIM k g a 0 {d} [JUSTID]
XAUTOCLAIM k g a 0 d [COUNT c] [JUSTID]
EVAL return{KEYS[1],ARGV[1],tonumber(ARGV[2])} 1 k v n
EVAL return(redis.call(ARGV[1],KEYS[1])) 1 k (GET|LLEN|HLEN|SCARD|ZCARD|XLEN|TYPE)
EVAL return(redis.pcall('INCRBY',KEYS[1],ARGV[1])) 1 k n
EVAL return(cjson.encode({ARGV[1],ARGV[2]})) 0 v n
ECHO v
PING [v]
SELECT z
FLUSHDB
nothing k
`

export const COMMANDS: readonly Template[] = TEMPLATES.trim()
  .split('\n')
  .map((line) => new Template(line))

/** We have these as in Redis 7.2, where one word more is allowed. */
const NEWER = /^Z(REV)?RANK$/

/** Emptying all is rare: else there would never be much. */
const RARE = /^(FLUSHDB|SELECT|nothing|RENAME|DEL|UNLINK)/
const COMMON = COMMANDS.filter(({ text }) => !RARE.test(text))

/** One random command. */
export function randomCommand(random: Random): string[] {
  const template = random.chance(0.04) ? random.pick(COMMANDS) : random.pick(COMMON)
  const words = template.make(random, makerOf(random))
  // Some have a word too few or too many.
  const odd = random.below(100)
  if (odd === 0 && !NEWER.test(words[0]!)) words.push('more')
  if (odd === 1 && words.length > 1) words.pop()
  return words
}

const KINDS = ['string', 'list', 'set', 'zset', 'hash', 'stream']

function makerOf(random: Random): Maker {
  const text = () =>
    random.pick(['', 'a', 'b', 'abc', 'foobar', '10', '-3', '1.5', 'x'.repeat(70), 'a\r\nb', '\u0000\u00ff', '007'])
  const whole = () => String(random.pick([0, 1, 2, 3, 5, 10, -1, -2, -5, 100, random.below(1000) - 500]))
  const score = () =>
    random.pick([whole(), '1.5', '-0.1', '3.0000000000000004', 'inf', '-inf', '1e300', '0.1', whole()])
  const id = () =>
    random.pick([`${random.below(20)}-${random.below(3)}`, `${random.below(20)}`, '0', '99999999999999-1'])
  const makers: Readonly<Record<string, () => string>> = {
    k: () => `${random.pick(KINDS)}${random.below(3)}`,
    v: text,
    m: () => random.pick([text(), `member${random.below(40)}`, String(random.below(40))]),
    h: () => random.pick([text(), `field${random.below(40)}`]),
    n: () => random.pick([whole(), whole(), '9223372036854775807', '-9223372036854775808', 'x', '1.5', ' 1', '+1', '']),
    i: () => random.pick([whole(), whole(), whole(), '9223372036854775807', 'x']),
    c: () => random.pick(['0', '1', '2', '5', '100', '-1', 'x']),
    o: () => random.pick(['0', '1', '7', '8', '33', '100', '-1', '#2', 'x']),
    b: () => random.pick(['0', '1', '1', '2']),
    w: () => random.pick(['u1', 'u8', 'i8', 'u16', 'i32', 'u63', 'i64', 'u64', 'i5', 'x']),
    f: () => random.pick([score(), '1.1', '3.0e2', '-7.25', 'nan', 'x', '0.3']),
    s: () => random.pick([score(), score(), 'x', 'nan']),
    r: () => random.pick([score(), `(${score()}`, '-inf', '+inf', 'x']),
    x: () => random.pick(['-', '+', '[a', '(a', '[foobar', `[member${random.below(40)}`, 'x']),
    d: () => random.pick([id(), id(), id(), 'x', '5-x']),
    e: () => random.pick([id(), '-', '+', `(${id()}`]),
    g: () => random.pick(['group1', 'group2']),
    a: () => random.pick(['anna', 'bert']),
    // A pattern without a star is 'nosort'. Then a set has no order, nor have texts whose keys are equal, of which LIMIT could take a part.
    star: () => random.pick(['*', 's*', '*1', '[hl]*', 'k_*']),
    p: () => random.pick(['*', 's*', '*1', '[hl]*', 'k_*', '#', 'hash1->field1', '?et0']),
    // Far enough ahead that nothing expires while the commands run, or long past.
    t: () => random.pick(['100000', '200000', '300000', '0', '-5', 'x', '9223372036854775807']),
    // One that is past stays in Redis until somebody looks at it, so DBSIZE would differ.
    ahead: () => random.pick(['4102444800', '4102444801000', '-1', 'x']),
    // Ranges by text are defined only where all scores are the same.
    geo: () => `geo${random.below(2)}`,
    pf: () => `pf${random.below(3)}`,
    zset: () => `zset${random.below(3)}`,
    lon: () =>
      random.pick(['13.361389', '15.087269', '-180', '179.9999', '0', String(random.below(360) - 180), 'x', '181']),
    lat: () => random.pick(['38.115556', '37.502669', '-85', '85', '0', String(random.below(170) - 85), '90']),
    far: () => random.pick(['0', '1', '200', '1000', '5000', '-1', 'x']),
    lex: () => `lex${random.below(2)}`,
    list: () => `list${random.below(3)}`,
    u: () => random.pick(['4102444800', '4102444801000', '1', '-1', 'x']),
    z: () => random.pick(['0', '1', '16', 'x']),
  }
  return (name) => makers[name]?.() ?? name
}
