with events as (

    select * from {{ ref('int_customer_value__cart_events') }}

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

by_day as (

    select
        customer_id,
        cart_number,
        event_date,
        max(event_at) as last_activity_at,
        max(case when event_role <> 'purchase' then funnel_step end) as day_step,
        sum(case event_role when 'cart_add' then 1 when 'cart_remove' then -1 else 0 end) as day_items,
        max(case when event_role = 'purchase' then event_at end) as purchased_at
    from events
    group by customer_id, cart_number, event_date

),

carried as (

    select
        *,
        max(day_step) over (
            partition by customer_id, cart_number order by event_date rows between unbounded preceding and current row
        ) as furthest_step,
        sum(day_items) over (
            partition by customer_id, cart_number order by event_date rows between unbounded preceding and current row
        ) as item_count,
        lead(event_date) over (partition by customer_id, cart_number order by event_date) as next_event_date,
        max(case when purchased_at is not null then event_date end) over (partition by customer_id, cart_number) as purchase_date,
        min(event_date) over (partition by customer_id, cart_number) as cart_date
    from by_day

),

earlier_purchases as (

    select
        customer_id,
        min(event_date) as first_purchase_date
    from {{ ref('int_customer_value__path_events') }}
    where event_role = 'purchase'
    group by customer_id

)

select
    carried.customer_id,
    carried.cart_number,
    carried.event_date,
    carried.next_event_date,
    carried.purchase_date,
    carried.last_activity_at,
    carried.purchased_at,
    coalesce(carried.furthest_step, 2) as furthest_step,
    greatest(carried.item_count, 0) as item_count,
    case
        when carried.item_count <= 0 then 'none'
        when carried.item_count = 1 then 'one'
        when carried.item_count <= 3 then 'few'
        else 'many'
    end as item_band,
    -- By an order or by an event of a purchase, before the cart's first day.
    coalesce({{ customer_value.reporting_date('customers.first_ordered_at') }} < carried.cart_date, false)
    or coalesce(earlier_purchases.first_purchase_date < carried.cart_date, false) as has_bought_before
from carried
left join customers on carried.customer_id = customers.customer_id
left join earlier_purchases on carried.customer_id = earlier_purchases.customer_id
