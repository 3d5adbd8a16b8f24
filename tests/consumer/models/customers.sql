-- One row per address that the shop can write to. customer_value has a model of this name, too.
select
    lower(trim(client)) as client,
    min(placed_at) as first_seen_at,
    count(*) as line_count
from {{ ref('orders') }}
where trim(client) <> ''
group by lower(trim(client))
