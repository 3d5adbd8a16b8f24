with targets as (

    select * from {{ ref('int_customer_value__campaign_targets') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

orders as (

    select
        targets.campaign_id,
        targets.customer_id,
        orders.order_date,
        orders.net_amount,
        orders.margin_amount,
        orders.ordered_at < targets.contacted_at as is_before,
        orders.ordered_at < targets.contacted_at
        and orders.order_date >= cast({{ customer_value.dateadd('day', -365, 'targets.contact_date') }} as date) as is_year_before
    from targets
    inner join {{ ref('orders_cleaned') }} as orders
        on
            targets.customer_id = orders.customer_id
            and targets.window_end_date > orders.order_date

),

summed as (

    select
        campaign_id,
        customer_id,
        count(*) filter (where is_before) as lifetime_order_count,
        max(order_date) filter (where is_before) as last_order_date,
        count(*) filter (where is_year_before) as order_count_before,
        sum(net_amount) filter (where is_year_before) as net_amount_before,
        count(*) filter (where not is_before) as order_count,
        sum(net_amount) filter (where not is_before) as net_amount,
        sum(margin_amount) filter (where not is_before) as margin_amount
    from orders
    group by campaign_id, customer_id

),

measured as (

    select
        targets.*,
        targets.window_end_date <= run.as_of_date as is_window_closed,
        coalesce({{ customer_value.reporting_date('targets.responded_at') }} < targets.window_end_date, false) as has_responded,
        coalesce(summed.lifetime_order_count, 0) as lifetime_order_count,
        {{ customer_value.datediff('summed.last_order_date', 'targets.contact_date', 'day') }} as recency_days_before,
        coalesce(summed.order_count_before, 0) as order_count_before,
        cast(coalesce(summed.net_amount_before, 0) as {{ customer_value.type_amount() }}) as net_amount_before,
        coalesce(summed.order_count, 0) as order_count,
        cast(coalesce(summed.net_amount, 0) as {{ customer_value.type_amount() }}) as net_amount,
        cast(coalesce(summed.margin_amount, 0) as {{ customer_value.type_amount() }}) as margin_amount
    from targets
    cross join run
    left join summed on targets.campaign_id = summed.campaign_id and targets.customer_id = summed.customer_id

),

-- Shares of the campaign's customers that are strictly lower: ties share it, so no key decides.
ranked as (

    select
        *,
        {% for name, column in [('recency', 'recency_days_before'), ('order', 'order_count_before'), ('spend', 'net_amount_before')] -%}
            cast(rank() over (partition by campaign_id, lifetime_order_count > 0 order by {{ column }}) - 1 as {{ customer_value.type_double() }})
            / count(*) over (partition by campaign_id, lifetime_order_count > 0) as {{ name }}_share
            {{- ',' if not loop.last }}
        {% endfor %}
    from measured

)

select
    ranked.campaign_id,
    ranked.customer_id,
    ranked.treatment,
    ranked.arm,
    ranked.contact_date,
    ranked.is_window_closed,
    ranked.contact_count,
    ranked.cost_amount,
    ranked.has_responded,

    -- before the contact
    ranked.order_count_before,
    ranked.net_amount_before,
    {{ customer_value.order_history('ranked.lifetime_order_count', 'ranked.recency_days_before') }} as order_history,
    case
        when ranked.net_amount_before <= 0 then 'none'
        when ranked.spend_share < 1.0 / 3 then 'low'
        when ranked.spend_share < 2.0 / 3 then 'middle'
        else 'high'
    end as spend_before,
    case
        when ranked.lifetime_order_count = 0 then 'no_order'
        else
            cast(cast(floor(4 * ranked.recency_share) as {{ dbt.type_int() }}) as {{ dbt.type_string() }})
            || cast(cast(floor(4 * ranked.order_share) as {{ dbt.type_int() }}) as {{ dbt.type_string() }})
            || cast(cast(floor(4 * ranked.spend_share) as {{ dbt.type_int() }}) as {{ dbt.type_string() }})
    end as stratum,

    -- from the contact to the window's end
    ranked.order_count,
    ranked.net_amount,
    ranked.margin_amount
from ranked
