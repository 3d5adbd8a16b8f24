select
    k, max_by(v, n) as last, max_by(v, (m, n)) as by_two,
    max_by(v, struct_pack(a := m, b := n)) as by_struct,
    list_sum(max_by(v, n, 3) filter (where v > 2)) as last_three
from (
    values ('a', 1, 1, 5), ('a', 2, null, null), ('a', 3, 2, 4), ('a', 4, 2, 3), ('b', 1, null, 9), ('b', null, 8, 2)
) as rows (k, n, m, v)
group by k
