-- By the end of a later period an order is at least as likely as by the end of an earlier one.
-- Compared with the period before through the key, which spares sorting all rows.
select
    later.customer_id,
    later.period_number,
    earlier.cumulative_order_probability as earlier_probability,
    later.cumulative_order_probability as later_probability
from {{ ref('customer_value_by_period') }} as later
inner join {{ ref('customer_value_by_period') }} as earlier
    on
        later.customer_id = earlier.customer_id
        and later.period_number = earlier.period_number + 1
where later.cumulative_order_probability < earlier.cumulative_order_probability
