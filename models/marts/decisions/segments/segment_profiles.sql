{%- set double = customer_value.type_double() -%}

with customer_segments as (

    select * from {{ ref('customer_segments') }}

),

clusters as (

    select * from {{ ref('int_customer_value__clusters_named') }}

),

customers as (

    select * from {{ ref('customer_value', 'customers') }}

),

customer_cltv as (

    select * from {{ ref('customer_cltv') }}

),

customer_churn as (

    select * from {{ ref('customer_churn') }}

),

-- Exact sums: a probability has nine digits.
measured as (

    select
        customer_segments.cluster_number,
        count(*) as customer_count,
        sum(customers.order_count) as order_count,
        sum(customers.net_amount) as net_amount,
        sum(cast(customers.recency_days as {{ dbt.type_bigint() }})) as recency_days,
        sum(customer_cltv.predicted_value) as predicted_value,
        sum(cast(customer_churn.churn_probability as decimal(18, 9))) as churn_probability
    from customer_segments
    inner join customers on customer_segments.customer_id = customers.customer_id
    inner join customer_cltv on customer_segments.customer_id = customer_cltv.customer_id
    inner join customer_churn on customer_segments.customer_id = customer_churn.customer_id
    group by customer_segments.cluster_number

),

totals as (

    select
        sum(customer_count) as customer_count,
        sum(order_count) as order_count,
        sum(net_amount) as net_amount,
        sum(recency_days) as recency_days
    from measured

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

averaged as (

    select
        measured.*,
        cast(measured.customer_count as {{ double }}) / totals.customer_count as customer_share,
        {% for relation, whose in [('measured', 'segment'), ('totals', 'all')] -%}
            cast(round(cast({{ relation }}.recency_days as {{ double }}) / {{ relation }}.customer_count) as {{ dbt.type_int() }})
                as {{ whose }}_recency_days,
            cast(cast({{ relation }}.order_count as {{ double }}) / {{ relation }}.customer_count as decimal(18, 1)) as {{ whose }}_orders,
            cast(cast({{ relation }}.net_amount as {{ double }}) / {{ relation }}.order_count as {{ customer_value.type_amount() }})
                as {{ whose }}_order_value {{- ',' if not loop.last }}
        {% endfor %}
    from measured
    cross join totals

)

select
    clusters.cluster_number,
    clusters.segment_name,
    cast(averaged.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    round(averaged.customer_share, 6) as customer_share,
    cast(averaged.net_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(averaged.predicted_value as {{ customer_value.type_amount() }}) as predicted_value,
    cast(averaged.predicted_value / averaged.customer_count as {{ customer_value.type_amount() }}) as predicted_value_per_customer,
    round(cast(averaged.churn_probability as {{ double }}) / averaged.customer_count, 6) as mean_churn_probability,
    averaged.segment_recency_days as mean_recency_days,
    cast(averaged.segment_orders as {{ double }}) as mean_orders,
    averaged.segment_order_value as average_order_value,
    -- What differs by a third of a standard deviation or more, the largest difference not first: the same
    -- order in every row is easier to compare.
    coalesce(
        nullif(
            concat_ws(
                '; ',
                case
                    when abs(clusters.recency_offset) > 1 / 3.0
                        then 'last order ' || averaged.segment_recency_days || ' days ago (all: ' || averaged.all_recency_days || ')'
                end,
                case
                    when abs(clusters.purchases_offset) > 1 / 3.0
                        then averaged.segment_orders || ' orders (all: ' || averaged.all_orders || ')'
                end,
                case
                    when abs(clusters.amount_offset) > 1 / 3.0
                        then averaged.segment_order_value || ' per order (all: ' || averaged.all_order_value || ')'
                end
            ),
            ''
        ),
        'Close to the average in everything'
    ) as what_sets_it_apart,
    clusters.cluster_count as clusters_in_all,
    round(clusters.silhouette, 6) as silhouette,
    run.as_of_date,
    clusters.model_version,
    run.run_id
from averaged
inner join clusters on averaged.cluster_number = clusters.cluster_number
cross join run
