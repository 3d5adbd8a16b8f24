select
    concat_ws(', ', a, b) as joined, split_part('a{b}c', '{', 2) as part, split_part('abc', '{', 2) as no_part,
    strlen(a) as bytes, upper(a) as raised, a < '!' as is_early, greatest(a, b) as later, trim(a) as trimmed
from (values ('zoe', null), (null, 'b'), (null, null), (' ', '~'), ('é', 'e')) as texts (a, b)
