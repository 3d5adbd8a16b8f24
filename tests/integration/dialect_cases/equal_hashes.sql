select
    hash(a) = hash(b) as same, hash(a, n) = hash(b, n) as both,
    hash(a, cast(null as varchar)) = hash(a, '') as null_is_empty
from (values ('a', 'a', 1), ('a', 'b', 2), (null, null, 3), ('', ' ', null)) as texts (a, b, n)
