select
    typeof(t) in ('TIMESTAMP', 'DATE') as is_time, typeof(zoned) = 'TIMESTAMP WITH TIME ZONE' as is_zoned,
    typeof(text) = 'DATE' as is_date
from (select timestamp '2024-01-01' as t, cast('2024-01-01 10:00+02' as timestamptz) as zoned, 'x' as text) as one
