"""SQL texts that must not pass the door, by family."""

from __future__ import annotations

import re
from collections.abc import Iterator

FUNCTIONS = re.findall(
    r"\w+",
    """
read_text read_blob read_csv read_csv_auto read_json read_json_auto read_parquet parquet_scan parquet_metadata
parquet_schema parquet_kv_metadata sniff_csv glob getenv current_setting set_config query query_table duckdb_settings
duckdb_secrets duckdb_functions duckdb_tables duckdb_columns pragma_table_info pragma_version random setseed uuid
gen_random_uuid uuidv7 now current_date current_time current_timestamp today get_current_timestamp get_current_time
transaction_timestamp clock_timestamp localtimestamp localtime txid_current nextval currval current_database
current_schema current_schemas current_query current_user version pg_sleep sleep shell system write_log error
list_transform list_filter list_reduce list_aggregate range generate_series unnest repeat array_fill md5 sha1 sha256
hash md5_number encode decode from_base64 to_base64 unhex hex chr ascii unicode bar format printf
json json_extract json_extract_string json_structure from_json json_serialize_sql json_deserialize_sql
json_execute_serialized_sql st_read st_drivers iceberg_scan delta_scan sqlite_scan postgres_scan postgres_query
mysql_query sqlite_query load_aws_credentials which_secret in_search_path add_parquet_key arrow_scan
arrow_scan_dumb python_map_function pandas_scan seq_scan index_scan summary test_all_types test_vector_types
checkpoint force_checkpoint reflect java_method input_file_name spark_partition_id monotonically_increasing_id
rand randn shuffle xpath from_csv from_xml raise_error assert_true aes_decrypt aes_encrypt regexp_split_to_table
string_split_regex regexp_extract_all regexp_split_to_array levenshtein jaro_winkler_similarity getvariable
lastro_read_clock xyzzy try
""",
)

STATEMENTS = """
select 1 | select a from data | select * from data | select a | (select a from data)
(select max(a) from data) > 1 | a in (select a from data) | exists (select 1) | exists (select 1 from data)
a = any (select b from data) | a > all (select b from data) | insert into data values (1)
update data set a = 1 | delete from data | drop table data | create table x as select 1
create secret s (type s3) | copy data to '/tmp/x' | attach '/tmp/x' | detach x | install httpfs | load httpfs
pragma version | set memory_limit = '1GB' | reset all | call pragma_version() | export database '/tmp/x'
import database '/tmp/x' | checkpoint | vacuum | explain select 1 | describe data | show tables | use memory
begin | commit | rollback | prepare p as select 1 | execute p | deallocate p | alter table data add x int
with x as (select 1) select * from x | values (1) | from data | table data | from '/etc/passwd'
select * from '/etc/passwd' | 1=1; drop table data | 1=1; select 1 | ; | a;b | truncate data
merge into data using x on true | pivot data on a | summarize data | grant all on data to x
comment on table data is 'x' | kill 1 | analyze | cache table x
""".replace("\n", "|").split("|")

SYNTAX = """
date_diff('week', a, b) | date_diff('century', a, b) | date_diff(a, b)
a -> b | a ->> b | a -> '$.x' | a ->> '$.x' | x -> x + 1 | lambda x: x + 1 | columns(*) | columns('a')
columns(*) > 0 | * | a.* | * exclude (a) | * replace (a as b) | #1 | $1 | ? | :name | $name | @name | @@version
{'a': 1} | {a: 1} | [1, 2] | [x for x in a] | [x + 1 for x in a if x > 1] | map {'a': 1} | (a, b) | row(a, b)
(1, 2) = (a, b) | struct_pack(x := 1) | a := 1 | a => 1 | $$x$$ | $tag$x$tag$ | e'\\n' | E'\\x41' = a | x'41'
b'0101' | a collate nocase | a collate "de_DE" | a at time zone 'UTC' | sum(a) | count(*) | max(a)
sum(a) over () | row_number() over () | a over (partition by b) | first_value(a) over (order by b)
a filter (where b) | a[1:2] | a[b] | a[-1] | a[b + 1] | a[1][b] | a['x' | b] | case a when 1 then (select 1) end
cast(a as json) | cast(a as int[]) | cast(a as struct(x int)) | cast(a as map(int, int)) | cast(a as blob)
cast(a as uuid) | cast(a as bit) | cast(a as interval) | a::regclass | a::hugeint | cast(a as enum('x'))
cast(a as union(x int)) | cast(a as time) | a::xml | a similar to 'x' | a glob 'x*' | a like b | a ilike b
a like 'x\\%' | a like 'x' escape '!' | a not like 'x' escape '!' | a between symmetric 1 and 2 | a & 1 | a | 1
a << 1 | a >> 1 | ~a | xor(a, b) | a ^@ b @> c | a <@ b | a && b | @a | a! | interval a day | interval (a) day
interval '1 day 2 hours' | interval '1' century | interval 3 fortnight | extract(epoch from a)
extract(timezone from a) | extract(b from a) | date_part('epoch', a) | date_part(b, a) | date_part('year')
date_trunc(b, a) | date_trunc('decade', a) | regexp_matches(a, b) | regexp_matches(a, 'x', 'i')
regexp_replace(a, b, 'x') | regexp_replace(a, 'x', b) | regexp_replace(a, 'x', 'y', 'gi')
regexp_replace(a, 'x', '\\1') | regexp_extract(a, b) | regexp_extract(a, 'x', 1) | regexp_extract(a, '(x)', b)
regexp_extract(a, '(x)(y)', ['m', 'n']) | regexp_matches(a, '(?<=x)y') | regexp_matches(a, '(a)\\1')
regexp_matches(a, '(?!x)') | regexp_matches(a, 'a++') | regexp_matches(a, '(?>a)') | regexp_matches(a, '[')
regexp_matches(a, '(') | regexp_matches(a, 'a{1001}') | regexp_matches(a, '(a{100}){100}')
regexp_matches(a, '(?m)x') | regexp_matches(a, '*') | regexp_matches(a, '\\C') | regexp_matches(a, '\\Gx')
regexp_matches(a, '(?P<n>x)(?P<n>y)') | strptime(a, b) | strptime(a, ['%d', '%Y']) | strptime(a, '%c')
strptime(a, '%Q') | strptime(a, '%y') | strptime(a, '%d %d') | strptime(a, '') | strftime(a, b)
strftime(a, '%z') | strftime(a, '%-d') | try_strptime(a) | try_strptime(a, b) | missing | "A b" | a.b.c.d.e.f(1)
data.a | information_schema.tables | main.data.a | other.a | nothing > 1 | abs(missing) | a b | a as b
a as "x y" | a, b | a + | ) | ( | (a | a) | 'a | "a | a'' | case | case when a | case when a then | cast(a)
cast(a as) | cast( | a in | a in ( | a in () | in (1) | between 1 and 2 | a between 1 | not | and a | or | a and
a or or b | a is | a is not | if | if( | coalesce( | from | where a | select | distinct a | all a | any a
try(a) | try_cast(a) | a:: | :: int | a..b | ..a | tablesample | a tablesample 1 | limit 1 | a limit 1
a order by b | group by a | a group by b | a having b | a union select 1 | a intersect select 1
a except select 1 | a qualify b | a window w | a join b | a, lateral b | a cross join b | a using (b)
""".replace("\n", "|").split("|")


def texts() -> Iterator[str]:
    """Every hostile text, for the columns `a` and `b`."""
    for name in FUNCTIONS:
        for arguments in ("()", "(a)", "('/etc/passwd')"):
            yield f"{name}{arguments} is not null"
        yield f"coalesce(cast({name}(a, b) as varchar), 'x')"
        yield f"{name.upper()} (1) > 0"
    for listed in (STATEMENTS, SYNTAX):
        yield from (text.strip() for text in listed if text.strip() not in ("", "a", "1"))
    yield from _bombs()
    yield from (
        "",
        " ",
        "\n",
        "\0",
        "a\0",
        "a > 1\0",
        "-- a",
        "/* a */",
        "--",
        "/*",
        "a /*+ hint */ > 1 /*",
        "a > 1 */",
    )


def _bombs() -> Iterator[str]:
    for times in (65, 200, 1_000, 4_900):
        yield "(" * times + "a" + ")" * times
        yield "not " * min(times, 2_000) + "a"
        yield "- " * times + "1"
        yield "-" * times + "1"
        yield "[" * times
        yield "case when a then " * min(times, 500) + "1" + " end" * min(times, 500)
        yield "abs(" * min(times, 1_900) + "a" + ")" * min(times, 1_900)
        yield "a = " * min(times, 2_000) + "a"
        yield "a * " * min(times, 2_000) + "a"
        yield "a[1]" + "[1]" * min(times, 3_000)
        yield "a" + ".b" * times
        yield "a" + "::int" * min(times, 1_900)
    yield "a + " * 2_400 + "a"
    yield "a or " * 1_900 + "a"
    yield "a || " * 1_900 + "a"
    yield "a in (" + ", ".join(["1"] * 3_000) + ")"
    yield "a" * 10_001
    yield "'" + "x" * 10_001 + "'"
    yield "a > 1 " + " " * 10_000
