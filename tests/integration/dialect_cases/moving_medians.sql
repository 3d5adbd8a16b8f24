select
    k, n, median(v) over (partition by k order by n rows between 3 preceding and 1 preceding) as middle
from (values ('a', 1, 1e0), ('a', 2, 2.5e0), ('a', 3, null), ('a', 4, 9), ('a', 5, 4), ('b', 1, 2)) as rows (k, n, v)
