with orders as (

    select * from {{ ref('orders_cleaned') }}

),

run as (

    select as_of_date from {{ ref('int_customer_value__run') }}

),

customer_attributes as (

    select * from {{ ref('int_customer_value__customer_attributes') }}

),

lifecycle_rules as (

    select * from {{ ref('lifecycle_stages') }}

),

shop_rhythms as (

    select * from {{ ref('int_customer_value__shop_rhythms') }}

),

histories as (

    select
        customer_id,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        count(*) as order_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(refund_amount) as refund_amount,
        sum(net_amount) as net_amount,
        sum(margin_amount) as margin_amount,
        -- The gaps add up to the days between the first order and the last.
        sum(days_since_previous_order) as days_between_first_and_last_order,
        -- Orders of one day are one purchase, and only days between purchases are gaps.
        count(*) filter (where days_since_previous_order > 0) as gap_count,
        {% for gaps, row_count in [('last', 1), ('recent', 4)] -%}
            coalesce(
                {{ customer_value.sum_of_last('days_since_previous_order', 'order_number', row_count, 'days_since_previous_order > 0') }}, 0
            ) as {{ gaps }}_gap_days {{- ',' if not loop.last }}
        {% endfor %}
    from orders
    group by customer_id

),

measured as (

    select
        histories.*,
        run.as_of_date,
        {{ customer_value.datediff('histories.last_order_date', 'run.as_of_date', 'day') }} as recency_days,
        {{ customer_value.datediff('histories.first_order_date', 'run.as_of_date', 'day') }} as tenure_days,
        histories.gap_count + 1 as purchase_day_count,
        coalesce(histories.days_between_first_and_last_order, 0) as total_gap_days
    from histories
    cross join run

),

-- The same as int_customer_value__lifecycle_stages says of this date, without a sort of all orders; a
-- test compares them.
in_rhythms as (

    select
        measured.*,
        measured.recency_days
        / {{ customer_value.rhythm('measured.gap_count', 'measured.total_gap_days', 'today.shop_days_between_orders') }}
            as silence_rhythms,
        {{ customer_value.return_rhythms('measured.gap_count', 'measured.total_gap_days', 'measured.last_gap_days', 'then_known.shop_days_between_orders') }}
            as return_rhythms,
        {{ customer_value.pace_ratio('measured.gap_count', 'measured.total_gap_days', 'measured.recent_gap_days', 'then_known.shop_days_between_orders') }}
            as pace_ratio
    from measured
    inner join shop_rhythms as today on measured.as_of_date = today.as_of_date
    inner join shop_rhythms as then_known on measured.last_order_date = then_known.as_of_date

)

select
    in_rhythms.customer_id,
    in_rhythms.first_ordered_at,
    in_rhythms.last_ordered_at,
    in_rhythms.first_order_date,
    in_rhythms.last_order_date,
    cast(date_trunc('month', in_rhythms.first_order_date) as date) as cohort_month,
    cast(in_rhythms.order_count as {{ dbt.type_bigint() }}) as order_count,
    cast(in_rhythms.gross_amount as {{ customer_value.type_amount() }}) as gross_amount,
    cast(in_rhythms.discount_amount as {{ customer_value.type_amount() }}) as discount_amount,
    cast(in_rhythms.refund_amount as {{ customer_value.type_amount() }}) as refund_amount,
    cast(in_rhythms.net_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(in_rhythms.margin_amount as {{ customer_value.type_amount() }}) as margin_amount,
    cast(in_rhythms.net_amount / in_rhythms.order_count as {{ customer_value.type_amount() }}) as average_order_value,
    round(
        cast(in_rhythms.days_between_first_and_last_order as {{ customer_value.type_double() }}) / nullif(in_rhythms.order_count - 1, 0), 2
    ) as average_days_between_orders,
    cast(in_rhythms.recency_days as {{ dbt.type_int() }}) as recency_days,
    cast(in_rhythms.tenure_days as {{ dbt.type_int() }}) as tenure_days,
    lifecycle_rules.lifecycle_stage,
    customer_attributes.acquired_at,
    customer_attributes.acquisition_channel,
    customer_attributes.acquisition_cost as acquisition_cost_amount,
    coalesce(customer_attributes.is_imputed, false) as is_acquisition_imputed,
    in_rhythms.as_of_date,
    {{ customer_value.run_id() }} as run_id
from in_rhythms
left join lifecycle_rules
    on {{ customer_value.lifecycle_rule_holds('in_rhythms', 'lifecycle_rules') }}
left join customer_attributes on in_rhythms.customer_id = customer_attributes.customer_id
