select
    k, percentile_disc(0.5) within group (order by v) as middle,
    percentile_disc(0.98) within group (order by v) as high,
    percentile_cont(0.5) within group (order by v) as between_both
from (values ('a', 1), ('a', 2), ('a', 4), ('a', 9), ('b', 3), ('b', null), ('c', null)) as rows (k, v)
group by k
