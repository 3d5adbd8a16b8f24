{%- set double = customer_value.type_double() -%}

with outcomes as (

    select * from {{ ref('int_customer_value__campaign_outcomes') }}
    where arm <> 'comparison'

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

summed as (

    select
        campaign_id,
        treatment,
        arm = 'control' as is_control,
        min(contact_date) as first_contact_date,
        max(contact_date) as last_contact_date,
        sum(contact_count) as contact_count,
        count(*) as customer_count,
        count(*) filter (where is_window_closed) as measured_customer_count,
        count(*) filter (where is_window_closed and has_responded) as responded_customer_count,
        count(*) filter (where is_window_closed and order_count > 0) as converted_customer_count,
        sum(order_count) filter (where is_window_closed) as order_count,
        sum(net_amount) filter (where is_window_closed) as net_amount,
        sum(margin_amount) filter (where is_window_closed) as margin_amount,
        sum(cost_amount) filter (where is_window_closed) as cost_amount
    from outcomes
    group by campaign_id, treatment, arm

)

select
    summed.campaign_id,
    summed.treatment,
    summed.is_control,
    summed.first_contact_date,
    summed.last_contact_date,
    cast(summed.contact_count as {{ dbt.type_bigint() }}) as contact_count,
    summed.customer_count,
    summed.measured_customer_count,
    summed.responded_customer_count,
    round(cast(summed.responded_customer_count as {{ double }}) / nullif(summed.measured_customer_count, 0), 9) as response_rate,
    summed.converted_customer_count,
    round(cast(summed.converted_customer_count as {{ double }}) / nullif(summed.measured_customer_count, 0), 9) as conversion_rate,
    cast(coalesce(summed.order_count, 0) as {{ dbt.type_bigint() }}) as order_count,
    {% for name in ['net_amount', 'margin_amount', 'cost_amount'] -%}
        cast(coalesce(summed.{{ name }}, 0) as {{ customer_value.type_amount() }}) as {{ name }},
    {% endfor -%}
    cast(coalesce(summed.margin_amount - summed.cost_amount, 0) as {{ customer_value.type_amount() }}) as margin_less_cost_amount,
    round(
        cast(summed.margin_amount - summed.cost_amount as {{ double }}) / nullif(cast(summed.cost_amount as {{ double }}), 0), 6
    ) as return_on_cost,
    run.as_of_date,
    run.run_id
from summed
cross join run
