select
    date_diff('month', a, b) as months, date_diff('day', a, b) as days,
    date_diff('minute', a, b) as minutes, date_diff('second', a, b) as seconds,
    cast(date_trunc('month', a) as date) as month, cast(date_trunc('week', cast(b as date)) as date) as week,
    a + cast(n as bigint) * interval '1 month' as later,
    cast(cast(a as date) + cast(-n as bigint) * interval '1 day' as date) as earlier,
    cast(extract(doy from b) as bigint) as day_of_year
from (
    values
        (timestamp '2024-01-31 23:59:59', timestamp '2024-02-29 00:00:00', 1),
        (timestamp '2023-12-31 10:00:00.75', timestamp '2022-03-01 09:59:59.2', 13),
        (timestamp '2024-02-29 00:00:00', timestamp '2024-02-29 00:00:59', -12),
        (cast(null as timestamp), timestamp '2024-02-29 00:00:59', 5)
) as given (a, b, n)
