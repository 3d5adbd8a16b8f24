{%- set money = customer_value.type_amount() -%}
{%- set text = dbt.type_string() -%}
{%- set rarity -%}
    case when tail_probability < 0.000001 then 'less than ' else '' end || '1 in '
    || cast(cast(floor(1 / greatest(tail_probability, 0.000001)) as {{ dbt.type_bigint() }}) as {{ text }})
{%- endset -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

amounts as (

    select
        order_id,
        customer_id,
        order_date,
        anomaly_kind,
        observed_figure,
        expected_figure,
        tail_probability,
        cast(cast(observed_figure as {{ money }}) as {{ text }})
        || case
            when anomaly_kind = 'amount_for_customer'
                then ', where the last ' || cast(habit_order_count as {{ text }}) || ' orders lead to expect '
            else ', of a customer without a habit yet, where the shop''s orders lead to expect '
        end
        || cast(cast(expected_figure as {{ money }}) as {{ text }})
        || case when is_above then ': ' else ': less by a factor of ' end
        || cast(cast(times_as_far as decimal(18, 1)) as {{ text }})
        || case when is_above then ' times as much' else '' end
        || '. Of all orders ' || {{ rarity }} || ' are so far out.' as reason
    from {{ ref('int_customer_value__unusual_amounts') }}

),

bursts as (

    select
        order_id,
        customer_id,
        order_date,
        anomaly_kind,
        observed_figure,
        expected_figure,
        tail_probability,
        cast(cast(observed_figure as {{ dbt.type_bigint() }}) as {{ text }}) || ' orders within a ' || burst_window
        || ', where one leads to expect ' || cast(cast(expected_figure as decimal(18, 2)) as {{ text }})
        || case
            when orders_before = 0 then ' by the shop''s pace'
            when orders_before = 1 then ' by the pace of 1 order before'
            else ' by the pace of ' || cast(orders_before as {{ text }}) || ' orders before'
        end
        || '. So many are ' || {{ rarity }} || '.' as reason
    from {{ ref('int_customer_value__order_bursts') }}

),

refunds as (

    select
        order_id,
        customer_id,
        order_date,
        anomaly_kind,
        observed_figure,
        expected_figure,
        tail_probability,
        cast(refunded_count as {{ text }}) || ' of ' || cast(order_count as {{ text }}) || ' orders refunded, where '
        || cast(cast(100 * expected_figure as decimal(18, 1)) as {{ text }})
        || '% are in this shop: beyond chance, of ' || cast(judged_customer_count as {{ text }}) || ' customers looked at.' as reason
    from {{ ref('int_customer_value__unusual_refunds') }}

),

anomalies as (

    select * from amounts
    union all
    select * from bursts
    union all
    select * from refunds

)

select
    anomalies.order_id,
    anomalies.anomaly_kind,
    anomalies.customer_id,
    anomalies.order_date,
    round(anomalies.observed_figure, 6) as observed_figure,
    round(anomalies.expected_figure, 6) as expected_figure,
    round(anomalies.tail_probability, 12) as tail_probability,
    anomalies.reason,
    run.as_of_date,
    run.run_id
from anomalies
cross join run
