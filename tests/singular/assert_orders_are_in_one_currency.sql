-- Amounts of several currencies can't be added up: set the var reporting_currency, and give the
-- input exchange_rates.
select
    upper(trim(currency)) as currency,
    count(*) as order_count
from {{ ref('orders_cleaned') }}
where (select count(distinct upper(trim(orders.currency))) from {{ ref('orders_cleaned') }} as orders) > 1
group by upper(trim(currency))
