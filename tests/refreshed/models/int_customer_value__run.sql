select
    cast(max(edition) as integer) as edition,
    date '2026-01-01' + cast(max(edition) as integer) as as_of_date,
    {{ customer_value.run_id() }} as run_id
from read_csv('edition.csv')
