{%- set double = customer_value.type_double() -%}
{#- Each metric with what is known before of the same customers and goes with it. -#}
{%- set metrics = [
    ('response', 'has_responded', 'order_count_before'),
    ('conversion', 'has_ordered', 'order_count_before'),
    ('net_amount', 'net_amount', 'net_amount_before'),
    ('margin', 'margin_amount', 'net_amount_before'),
] -%}
{%- set sums = ['outcome_sum', 'outcome_square_sum', 'before_sum', 'before_square_sum', 'product_sum'] -%}

-- A window that is still open would count the later contacts as failures.
with outcomes as (

    select
        campaign_id,
        treatment,
        arm,
        order_history,
        spend_before,
        stratum,
        cast(order_count_before as decimal(18, 0)) as order_count_before,
        net_amount_before,
        cast(case when has_responded then 1 else 0 end as decimal(18, 0)) as has_responded,
        cast(case when order_count > 0 then 1 else 0 end as decimal(18, 0)) as has_ordered,
        net_amount,
        margin_amount
    from {{ ref('int_customer_value__campaign_outcomes') }}
    where is_window_closed

),

-- Exact sums are all that means, variances and covariances need: one pass over the customers,
-- however many segments are asked for after it.
cells as (

    select
        campaign_id,
        treatment,
        arm,
        order_history,
        spend_before,
        stratum,
        count(*) as customer_count,
        {% for metric, outcome, before in metrics -%}
            sum({{ outcome }}) as {{ metric }}_outcome_sum,
            sum({{ outcome }} * {{ outcome }}) as {{ metric }}_outcome_square_sum,
            sum({{ before }}) as {{ metric }}_before_sum,
            sum({{ before }} * {{ before }}) as {{ metric }}_before_square_sum,
            sum({{ before }} * {{ outcome }}) as {{ metric }}_product_sum
            {{- ',' if not loop.last }}
        {% endfor %}
    from outcomes
    group by campaign_id, treatment, arm, order_history, spend_before, stratum

),

segments as (

    {% for kind, segment in [('all', "'all'"), ('order_history', 'order_history'), ('spend_before', 'spend_before')] -%}
        select
            '{{ kind }}' as segment_kind,
            {{ segment }} as segment,
            *
        from cells
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Of one type, wide enough for cents times cents: a union of counts and money would lose the cents.
by_metric as (

    {% for metric, outcome, before in metrics -%}
        select
            '{{ metric }}' as metric,
            campaign_id,
            treatment,
            arm,
            segment_kind,
            segment,
            stratum,
            customer_count,
            {% for name in sums -%}
                cast({{ metric }}_{{ name }} as decimal(38, 4)) as {{ name }}
                {{- ',' if not loop.last }}
            {% endfor %}
        from segments
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    metric,
    campaign_id,
    treatment,
    arm,
    segment_kind,
    segment,
    stratum,
    cast(sum(customer_count) as {{ dbt.type_bigint() }}) as customer_count,
    {% for name in sums -%}
        cast(sum({{ name }}) as {{ double }}) as {{ name }}
        {{- ',' if not loop.last }}
    {% endfor %}
from by_metric
-- Who was left alone had nothing to respond to.
where not (metric = 'response' and arm = 'comparison')
group by metric, campaign_id, treatment, arm, segment_kind, segment, stratum
