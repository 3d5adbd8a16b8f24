select
    isnan(x) as is_nan, cast(greatest(x, 1) as double) as more, cast(least(x, 1) as double) as less,
    floor(x) as down, ceil(x) as up, abs(x) as size, cast(floor(least(x, 9)) as integer) as whole
from (values (0.5e0), (-2.5e0), ('nan'::double), (null), (7.25e0)) as numbers (x)
