#!/usr/bin/env python3
"""Synthetic people of a support desk, the same for every run; nobody in them is real.

usage: people.py ROWS OUTDIR [csv|jsonl|parquet ...]

Writes strict.* (of 99.6 % of the people nothing but name and e-mail address is filled among the 15
report fields) and loose.* (dates, user name, type, role and time zone are filled too). Both carry
seven attributes a_* that are no report fields but can be filtered by.
"""
import os
import random
import sys

import duckdb

ROWS, OUT = int(sys.argv[1]), sys.argv[2]
FORMATS = sys.argv[3:] or ["csv"]
REPORT = ("created_date last_login full_name username email company_name user_type address "
          "last_pw_change role_name role_desc phone mobile time_zone saml_federation_id").split()
os.makedirs(OUT, exist_ok=True)
rnd = random.Random(20230928)
SYLLABLES = ("ka ri mo to ne sa li an el vi ro da mi ko ha su jo be lu ter man son wick berg ov ez "
             "ini dra shi mar").split()


def word(least, most):
    return "".join(rnd.choice(SYLLABLES) for _ in range(rnd.randint(least, most))).capitalize()


given = sorted({word(2, 3) for _ in range(420)})[:380] + [
    "José", "Zoë", "Łukasz", "Søren", "Renée", "Jürgen", "Anaïs", "Chloé"]
family = sorted({word(2, 4) for _ in range(1300)})[:1150] + [
    "Müller", "Muñoz", "O'Neil", "D'Arcy", "Nguyễn", "Çelik", "Åberg"]
family_ja = [a + b for a in "佐高田山中小渡伊加吉" for b in "藤橋中本村林辺東木田野崎"]
given_ja = [a + b for a in "健美翔陽結蓮葵真" for b in "太子平菜人介奈一"]
domains, seen = [], set()
while len(domains) < 20000:
    domain = (word(2, 4).lower()
              + rnd.choice(["", word(1, 2).lower(), "-" + word(1, 1).lower(), str(rnd.randint(1, 99))])
              + rnd.choice([".com", ".com", ".com", ".net", ".io", ".co.jp", ".de", ".org", ".example"]))
    if domain not in seen:
        seen.add(domain)
        domains.append(domain)

db = duckdb.connect()
db.execute("set threads=2; set preserve_insertion_order=true")
for name, values in (("g", given), ("f", family), ("jf", family_ja), ("jg", given_ja), ("d", domains)):
    db.execute(f"create table {name}(k int, v varchar)")
    db.execute(f"insert into {name} select row_number() over () - 1, unnest from unnest(?)", [values])


def uniform(salt):
    """A number in [0,1) that depends on the row and the salt only."""
    return f"(hash(i*1000003+{salt})>>11)::double/9007199254740992.0"


db.execute("create table base as select i, " + ", ".join(f"{uniform(n)} u{n}" for n in range(1, 17))
           + f" from range({ROWS}) r(i)")
db.execute(f"""create table people as
 with x as (select b.*, u1<0.06 as ja, floor(u2*{len(given)})::int gi, floor(u3*{len(family)})::int fi,
   floor(u2*{len(given_ja)})::int jgi, floor(u3*{len(family_ja)})::int jfi,
   least({len(domains)}-1, floor({len(domains)}*pow(u4,2.2))::int) di from base b)
 select x.i, ja,
  case when ja then jf.v||' '||jg.v
       when u16<0.0012 then f.v||', '||g.v
       when u16<0.0014 then g.v||' "'||left(g.v,2)||'" '||f.v
       when u16<0.02 then g.v||' '||chr(65+(u16*1e6)::int%26)||'. '||f.v
       else g.v||' '||f.v end as full_name,
  case when u5<0.55 then lower(strip_accents(replace(g.v,'''','')))||'.'||lower(strip_accents(replace(f.v,'''','')))
       when u5<0.8 then left(lower(strip_accents(g.v)),1)||lower(strip_accents(replace(f.v,'''','')))
       else lower(strip_accents(replace(f.v,'''','')))||(i%977)::varchar end
   ||case when u6<0.5 then (i%9973)::varchar else '' end||'@'||d.v as email,
  d.v as domain,
  timestamp '2013-02-01'+to_seconds((336236760*pow(u7,0.55))::bigint) as a_created,
  case when u8>=0.38 then timestamp '2023-09-28 15:06'-to_seconds(least(86400*1500,86400*90*(-ln(1-u9)))::bigint) end as seen,
  case when u10<0.62 then 'Customer Standard' when u10<0.86 then 'Customer Admin' when u10<0.94 then 'Partner' when u10<0.985 then 'Community' else 'Employee' end as a_user_type,
  case when u11<0.55 then 'Case Submitter' when u11<0.8 then 'Case Viewer' when u11<0.95 then 'Org Super Admin' else 'Delegated Approver' end as a_role,
  case when u12<0.82 then 'production' when u12<0.97 then 'preview' else 'gov' end as a_env,
  case when u13<0.7 then 'WIC' when u13<0.93 then 'CIS' else 'CIC' end as a_product,
  u14<0.87 as a_active, u15<0.004 as rich, u1,u5,u9,u14,u16
 from x join g on g.k=gi join f on f.k=fi join jf on jf.k=jfi join jg on jg.k=jgi join d on d.k=di
 order by x.i""")


def fields(filled):
    return f"""
 case when {filled} then a_created end created_date,
 case when {filled} then a_last_login end last_login,
 full_name,
 case when {filled} then case when u5<0.95 then email else email||'.support' end end username,
 email,
 case when {filled} and u1<0.30 then upper(left(domain,1))||substr(domain,2,10)||case when i%40=0 then ', Inc.' else '' end end company_name,
 case when {filled} then a_user_type end user_type,
 case when rich then (100+i%9000)::varchar||' '||upper(left(domain,1))||substr(domain,2,5)||' Street, Suite '||(i%400)::varchar||case when i%9=0 then chr(10)||'Attn: "Support"' else '' end||', '||(10000+i%89999)::varchar end address,
 case when {filled} and u9<0.55 then a_last_login-to_seconds((u14*9000000)::bigint) end last_pw_change,
 case when {filled} then a_role end role_name,
 case when {filled} and u14<0.20 then 'May '||lower(a_role)||' records, per contract' end role_desc,
 case when rich and i%10<8 then '+1 (415) 555-'||lpad((i%10000)::varchar,4,'0') end phone,
 case when rich and i%10<5 then '+81 90-0000-'||lpad((i%10000)::varchar,4,'0') end mobile,
 case when {filled} then case when ja then 'Asia/Tokyo' when u16<0.5 then 'America/Los_Angeles' when u16<0.8 then 'Europe/London' else 'GMT' end end time_zone,
 case when {filled} and u16<0.08 then md5(email) end saml_federation_id,
 a_created, a_last_login, a_user_type, a_role, a_env, a_product, a_active"""


for kind, filled in (("strict", "rich"), ("loose", "true")):
    query = f"""select {fields(filled)} from (select *, case when seen>=a_created then seen end a_last_login
                from people) order by i"""
    for form in FORMATS:
        options = {"csv": "format csv, header", "jsonl": "format json",
                   "parquet": "format parquet, compression snappy"}[form]
        db.execute(f"copy ({query}) to '{OUT}/{kind}.{form}' ({options})")
    print(f"{kind}: {ROWS} people", {form: os.path.getsize(f"{OUT}/{kind}.{form}") for form in FORMATS})
