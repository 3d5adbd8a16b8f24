select unnest(generate_series(3, (select max(n) from (values (1), (6)) as top (n)))) as n
