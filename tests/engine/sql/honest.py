"""Expressions that people write in contracts; every one must pass the door and mean the same in every engine.

Columns: `a`, `b` text; `n`, `m` long; `x` double; `p` decimal(12,2); `d`, `e` date; `t` timestamp_ntz; `ok` boolean.
"""

EXPRESSIONS = r"""
a
trim(a)
upper(trim(a))
lower(a)
ltrim(a) || rtrim(b)
trim(a, 'x')
replace(a, '.', '')
replace(replace(a, '.', ''), ',', '.')
regexp_replace(a, '[^0-9]', '', 'g')
regexp_replace(a, '[^0-9]', '')
regexp_replace(a, '(\d+)-(\d+)', '\2/\1')
regexp_extract(a, '(\w+)@(\w+)', 2)
regexp_extract(a, '[0-9]+')
regexp_matches(a, '^[A-Z]')
regexp_full_match(a, '[A-Za-z ]+')
a ~ '^x'
substr(a, 2)
substr(a, 2, 3)
substring(a, 1, 2)
substring(a from 2 for 2)
left(a, 2)
right(a, 2)
length(a)
length(a) between 1 and 20
concat(a, '-', b)
a || '-' || b
coalesce(a, b, 'none')
nullif(a, '')
nullif(trim(a), '')
greatest(n, m)
least(n, m)
abs(n)
round(x, 2)
round(x)
floor(x)
ceil(x)
sqrt(abs(x))
ln(abs(x) + 1)
log(abs(x) + 1)
exp(x / 1000)
power(n, 2)
n ^ 2
n ** 2
mod(n, 3)
n % 3
n // 3
n / m
n * 1.5
n + m - 1
-n
sign(n)
sign(x)
cast(a as integer)
cast(n as varchar)
try_cast(a as bigint)
a::date
cast(a as decimal(12, 2))
n::double
date_trunc('month', d)
date_trunc('year', t)
date_part('year', d)
extract(month from d)
extract(doy from d)
year(d)
month(d)
day(d)
hour(t)
minute(t)
second(t)
year(d) * 100 + month(d)
date_diff('day', d, e)
date_diff('month', d, e)
date_diff('year', d, e)
date_diff('quarter', d, e)
date_diff('hour', t, d)
d + interval 30 day > e
d - interval '1' month < e
e - d
strptime(a, '%d/%m/%Y')
try_strptime(a, '%Y-%m-%d %H:%M:%S')
strftime(d, '%Y-%m')
strftime(t, '%d/%m/%Y %H:%M:%S')
make_date(2000 + m, 1, 1)
make_date(2024, 2, 30)
split_part(a, ' ', 1)
split_part(a, ' ', -1)
lpad(a, 8, '0')
rpad(a, 8, '.')
starts_with(a, 'x')
ends_with(a, 'z')
contains(a, 'b')
strpos(a, 'b')
position('b' in a)
instr(a, 'b')
translate(a, 'abc', 'xyz')
reverse(a)
case when n > 1 then 'many' when n = 1 then 'one' else 'none' end
case a when 'x' then 1 else 2 end
if(n > 1, 'many', 'few')
n between 0 and 120
n not between 0 and 120
a in ('SP', 'RJ', 'MG')
n in (1, 2, 3)
a not in ('', 'x')
a like 'x%'
a not like '%z'
a ilike 'X_%'
a is null
a is not null
ok
not ok
ok is true
ok is not false
n > 1 and (m < 5 or x is null)
a = b
a <> b
a != b
n >= m
n < m
a is distinct from b
a is not distinct from b
n = 1 or n = 2 or n = 3 or n = 4 or n = 5
p * 2
p > 10.5
d >= date '2020-01-01'
d between date '2020-01-01' and date '2030-12-31'
t >= timestamp '2020-01-01 00:00:00'
ifnull(a, 'x')
n > 1 -- a comment that is dropped
/* another */ n > 1
"n" > 1
N > 1
1 = 1
true
length(replace(a, ' ', '')) > 0
""".strip().splitlines()

QUERIES = r"""
SELECT COUNT(*) FROM {object} WHERE {property} IS NULL
SELECT COUNT(*) FROM ${object} WHERE ${property} < 0
select count(*) from {table} where {column} not between 1 and 5;
SELECT COUNT(*) FROM loans WHERE a = '{object}'
select sum(p) from loans
select avg(x) from loans where n > 1
select max(n) - min(n) from loans
select count(distinct a) from loans
select count(distinct a) * 100.0 / count(*) from loans
select count(*) filter (where n > 1) from loans
select count_if(n > 1) from loans
select 100.0 * sum(case when a is null then 1 else 0 end) / count(*) from loans
select count(*) from (select a from {object} group by a having count(*) > 1) as repeated
select count(*) from {object} as l where l.n > (select avg(n) from {object})
select median(n) from loans
select stddev(x) from loans
select max(n) from loans where d >= date '2020-01-01'
select (select max(n) from loans) - min(n) from loans
select count(*) from (select distinct a, b from loans) as pairs
""".strip().splitlines()
