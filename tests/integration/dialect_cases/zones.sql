select
    timezone('Europe/Berlin', timezone('UTC', t)) as there,
    timezone('UTC', timezone('Europe/Berlin', t)) as in_utc,
    cast(timezone('America/New_York', timezone('UTC', t)) as date) as day
from (values (timestamp '2024-03-31 01:30:00'), (timestamp '2024-10-27 00:30:00'), (null)) as times (t)
