{%- set metrics = [
    ('conversion', 'has_ordered', 'order_count_before'),
    ('net_amount', 'net_amount', 'net_amount_before'),
    ('margin', 'margin_amount', 'net_amount_before'),
] -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- A plan is scored once its window has closed.
planned as (

    select action_history.*
    from {{ ref('action_history') }} as action_history
    inner join run on action_history.window_end_date <= run.as_of_date

),

orders as (

    select
        planned.customer_id,
        planned.plan_date,
        count(*) filter (where orders.order_date >= planned.plan_date) as order_count,
        sum(orders.net_amount) filter (where orders.order_date >= planned.plan_date) as net_amount,
        sum(orders.margin_amount) filter (where orders.order_date >= planned.plan_date) as margin_amount,
        count(*) filter (where orders.order_date < planned.plan_date) as order_count_before,
        sum(orders.net_amount) filter (where orders.order_date < planned.plan_date) as net_amount_before
    from planned
    inner join {{ ref('orders_cleaned') }} as orders
        on
            planned.customer_id = orders.customer_id
            and planned.window_end_date > orders.order_date
            and planned.plan_date <= cast({{ customer_value.dateadd('day', 365, 'orders.order_date') }} as date)
    group by planned.customer_id, planned.plan_date

),

outcomes as (

    select
        planned.plan_date,
        planned.action,
        planned.is_holdout,
        cast(case when orders.order_count > 0 then 1 else 0 end as decimal(18, 0)) as has_ordered,
        cast(coalesce(orders.net_amount, 0) as {{ customer_value.type_amount() }}) as net_amount,
        cast(coalesce(orders.margin_amount, 0) as {{ customer_value.type_amount() }}) as margin_amount,
        cast(coalesce(orders.order_count_before, 0) as decimal(18, 0)) as order_count_before,
        cast(coalesce(orders.net_amount_before, 0) as {{ customer_value.type_amount() }}) as net_amount_before
    from planned
    left join orders on planned.customer_id = orders.customer_id and planned.plan_date = orders.plan_date

),

-- Each action beside those for whom it was withheld, and the whole plan beside all of them.
actions as (

    select
        plan_date,
        action,
        is_holdout,
        has_ordered,
        net_amount,
        margin_amount,
        order_count_before,
        net_amount_before
    from outcomes

    union all

    select
        plan_date,
        'all' as action,
        is_holdout,
        has_ordered,
        net_amount,
        margin_amount,
        order_count_before,
        net_amount_before
    from outcomes

)

{% for metric, outcome, before in metrics -%}
    select
        '{{ metric }}' as metric,
        cast(plan_date as {{ dbt.type_string() }}) || ' ' || action as campaign_id,
        action as treatment,
        case when is_holdout then 'control' else 'treated' end as arm,
        'all' as segment_kind,
        'all' as segment,
        'all' as stratum,
        count(*) as customer_count,
        {% for name, term in [
            ('outcome_sum', outcome), ('outcome_square_sum', outcome ~ ' * ' ~ outcome), ('before_sum', before),
            ('before_square_sum', before ~ ' * ' ~ before), ('product_sum', before ~ ' * ' ~ outcome),
        ] -%}
            cast(sum({{ term }}) as {{ customer_value.type_double() }}) as {{ name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from actions
    group by plan_date, action, is_holdout
    {{ 'union all' if not loop.last }}
{% endfor %}
