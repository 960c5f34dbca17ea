import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Node } from './ast.ts'
import type { Condition, Occurrence } from './occurrences.ts'
import type { Operand } from './operands.ts'
import { describeStatements, type Statement } from './statement.ts'

beforeAll(loadModule)

describe('conditions on the rows of each table', () => {
  test.each<[sql: string, occurrences: string[]]>([
    ['select * from t where a = $1 and b = 2 and c in (3, $2)', ['t: a=$1 b=2 c=3|$2']],
    ["select 1 from s.t where 'x' = a and t.b = any($1) and flag", ['s.t: a=x b=any$1 flag=true:bool']],
    ['select 1 from t where a >= $1 and a < 10 and b between 1 and $2', ['t: a>=$1 a<10 b>=1<=$2']],
    ['select 1 from t where 5 > a and a = $1::int8 and b = null', ['t: a<5 a=$1:int8 b=null']],
    ['select 1 from t where a = 1 or b = 2', ['t:']],
    ['select 1 from t where not (a = 1) and b is null and c <> 3 and d not in (1) and e = f', ['t:']],
    ['select 1 from t where a::text = $1 and lower(b) = $2 and c = $3::varchar(3) and d = $4 collate "C"', ['t:']],
    ['select count(*) from t where a = 1 group by b having count(*) > $1 order by c limit 3', ['t: a=1']],
    // Joins: which side an ON filters.
    ['select 1 from a join b on a.x = b.x and a.y = 1 and b.y = 2', ['a: y=1', 'b: y=2']],
    ['select 1 from a left join b on a.x = b.x and a.y = 1 and b.y = 2 where a.z = 3', ['a: z=3', 'b: y=2']],
    ['select 1 from a right join b on a.y = 1 and b.y = 2', ['a: y=1', 'b:']],
    ['select 1 from a full join b on a.y = 1 and b.y = 2 where b.z = 3', ['a:', 'b: z=3']],
    ['select 1 from a left join (b join c on b.y = 1) on c.z = 2 and b.z = 3', ['a:', 'b: y=1 z=3', 'c: z=2']],
    ['select 1 from a, b where a.x = b.x and x = 1 and b.y = $1', ['a:', 'b: y=$1']],
    ['select 1 from orders as o (x, y) where o.x = 1', ['orders:']],
    ['select 1 from t a join t b using (id) where a.x = 1', ['t: x=1', 't:']],
    // Levels of their own.
    ['select 1 from t where a = 1 and exists (select from u where u.id = t.id and u.b = 2)', ['t: a=1', 'u: b=2']],
    ['select 1 from t where exists (select from u where t.a = 1)', ['t:', 'u:']],
    [
      'select (select max(x) from u where y = 1) from t where t.z not in (select v from w where k = $1)',
      ['t:', 'u: y=1', 'w: k=$1'],
    ],
    ['select 1 from (select a, b from t where a = 1) s where s.b = 2', ['t: a=1 b=2']],
    ['select 1 from (select t.a as x, u.b from t, u) s where x = 1 and b > 2', ['t: a=1', 'u: b>2']],
    ['select 1 from (select * from t where a = 1) s where s.b = 2', ['t: a=1']],
    ['select 1 from (select a, count(*) n from t group by a) s where a = 1 and n = 2', ['t: a=1']],
    ['select 1 from (select a from t limit 3) s where a = 1', ['t:']],
    ['select 1 from (select distinct on (b) a from t) s where a = 1', ['t:']],
    ['select 1 from (select distinct a from t) s where a = 1', ['t: a=1']],
    ['select 1 from (select a, row_number() over (order by b) from t) s where a = 1', ['t:']],
    ['select 1 from (select a from t union select a from u) s where a = 1', ['t:', 'u:']],
    ['select 1 from (select a from t) s (b) where b = 1', ['t:']],
    ['select 1 from x left join (select a from t) s on s.a = 1', ['x:', 't: a=1']],
    ['with t as (select * from u where a = 1) select * from t where b = 2', ['u: a=1']],
    ['with t as (select * from u) select * from s.t where t.b = 2', ['u:', 's.t: b=2']],
    [
      'with recursive t as (select * from u where a = 1 union all select u.* from u join t on u.p = t.id) select * from t',
      ['u: a=1', 'u:'],
    ],
    ['select a from t where b = 1 union select a from u where b = 2 order by 1', ['t: b=1', 'u: b=2']],
    ['select 1 from generate_series(1, (select max(n) from t where a = 1)) g where g = 2', ['t: a=1']],
    ['select 1 from t, lateral (select * from u where u.id = t.id and u.b = 1) s where a = 1', ['u: b=1', 't:']],
  ])('%s', (sql, expected) => {
    expect(describe_(sql).occurrences.map(written).toSorted()).toEqual(expected.toSorted())
  })
})

describe('what may not be cached, in words', () => {
  test.each<[sql: string, kind: Statement['kind'], reason: RegExp]>([
    ['select 1 from t for update', 'read', /locks rows/],
    ['select * from (select * from t for share) s', 'read', /locks rows/],
    ['with x as (delete from t returning *) select * from x', 'write', /DELETE/],
    ['select * into u from t', 'write', /INTO/],
    ['select current_user', 'read', /current_user depends/],
    ['select current_timestamp(3)', 'read', /current_timestamp depends/],
    ["select * from t where d > 'yesterday'::date", 'read', /'yesterday' may mean/],
    ['select * from t tablesample system (1)', 'read', /random/],
    ['select 1; select 2', 'other', /several/],
    ['insert into t values (1)', 'write', /no SELECT/],
    ['create table x ()', 'write', /no SELECT/],
    ['begin', 'transaction', /transaction/],
    ['set search_path = x', 'session', /no SELECT/],
    ['set local search_path = x', 'other', /no SELECT/],
    ['explain select 1', 'other', /no SELECT/],
  ])('%s', (sql, kind, reason) => {
    const statement = describe_(sql)
    expect(statement.kind).toBe(kind)
    expect(statement.reasons.join('; ')).toMatch(reason)
  })

  test('a plain SELECT has no reason, and names what the catalog is asked about', () => {
    const statement = describe_('select lower(a), s.f(b::money) from t where a ~ $1 and b = any(select c from u)')
    expect(statement.kind).toBe('read')
    expect(statement.reasons).toEqual([])
    expect(statement.functions).toEqual([['lower'], ['s', 'f']])
    expect(statement.operators).toEqual([['~'], ['=']])
    expect(statement.types).toEqual([['money']])
  })
})

test.each<[sql: string, columns: string[] | undefined]>([
  ['select a, t.b from t where c = 1 order by d', ['a', 'b', 'c', 'd', 't']],
  ['select a from t join u using (k)', ['a', 'k']],
  ['select * from t', undefined],
  ['select t.* from t', undefined],
  ['select count(*) from t where a = 1', ['a']],
  ['select count(t) from t', undefined],
  ['select row_to_json(o) from orders o', undefined],
  ['select a from t natural join u', undefined],
  ['select b from orders o (a, b)', undefined],
])('columns of %s', (sql, columns) => {
  const found = describe_(sql).columns
  expect(found && [...found].toSorted()).toEqual(columns)
})

function describe_(sql: string): Statement {
  const { stmts = [] } = parseSync(sql) as { stmts?: { stmt: Node }[] }
  return describeStatements(stmts.map(({ stmt }) => stmt))
}

function written({ schema, table, conditions }: Occurrence): string {
  return `${schema ? `${schema}.` : ''}${table}:${conditions.map((one) => ` ${condition(one)}`).join('')}`
}

function condition(one: Condition): string {
  if ('among' in one) return `${one.column}=${one.among.map(operand).join('|')}`
  const low = one.low ? `>${one.low.inclusive ? '=' : ''}${operand(one.low.operand)}` : ''
  const high = one.high ? `<${one.high.inclusive ? '=' : ''}${operand(one.high.operand)}` : ''
  return one.column + low + high
}

function operand(one: Operand): string {
  const cast = one.cast ? `:${one.cast}` : ''
  return 'text' in one ? `${one.text}${cast}` : `${one.isArray ? 'any' : ''}$${one.parameter}${cast}`
}
