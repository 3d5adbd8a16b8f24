{%- set double = customer_value.type_double() -%}
{%- set expectation = customer_value.type_expectation() -%}

with run as (

    select
        as_of_date,
        cast({{ customer_value.dateadd('day', var('action_window_days'), 'as_of_date') }} as date) as window_end_date
    from {{ ref('int_customer_value__run') }}

),

actions as (

    select * from {{ ref('actions') }}

),

action_effects as (

    select * from {{ ref('action_effects') }}

),

-- What is expected within the window anyway; of a period that ends beyond it, by days.
expected as (

    select
        periods.customer_id,
        {% for name in ['expected_margin', 'expected_net_amount'] -%}
            sum(cast(
                cast(periods.{{ name }} as {{ double }})
                * {{ customer_value.datediff('periods.period_start', 'least(periods.period_end, run.window_end_date)', 'day') }}
                / {{ customer_value.datediff('periods.period_start', 'periods.period_end', 'day') }}
                as {{ expectation }}
            )) as {{ name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('customer_value_by_period') }} as periods
    cross join run
    where periods.period_start < run.window_end_date
    group by periods.customer_id

),

customers as (

    select
        customer_churn.customer_id,
        customer_churn.churn_risk_band,
        {{ customer_value.order_history('customers.order_count', 'customers.recency_days') }} as order_history,
        cast(greatest(expected.expected_margin, 0) as {{ double }}) as margin_now,
        cast(greatest(expected.expected_net_amount, 0) as {{ double }}) as net_now,
        cast(greatest(customer_cltv.predicted_value - greatest(expected.expected_margin, 0), 0) as {{ double }}) as value_later
    from {{ ref('customer_churn') }} as customer_churn
    inner join {{ ref('customer_value', 'customers') }} as customers on customer_churn.customer_id = customers.customer_id
    inner join {{ ref('customer_cltv') }} as customer_cltv on customer_churn.customer_id = customer_cltv.customer_id
    inner join expected on customer_churn.customer_id = expected.customer_id

),

-- Of several campaigns of one treatment, the one that knows best. Only a control group measures.
uplift as (

    select
        lower(treatment) as treatment,
        segment_kind,
        segment,
        shrunk_effect,
        verdict,
        row_number() over (
            partition by lower(treatment), segment_kind, segment
            order by effect_upper - effect_lower, campaign_id, treatment
        ) as precision_rank
    from {{ ref('campaign_uplift') }}
    where is_randomised and metric = 'margin' and effect is not null and segment_kind in ('all', 'order_history')

),

measured as (

    select
        treatment,
        segment_kind,
        segment,
        shrunk_effect,
        verdict
    from uplift
    where precision_rank = 1

),

-- What was measured and not told from chance counts as nothing, rather than as what was hoped for.
judged as (

    select
        customers.*,
        actions.action,
        cast(actions.cost_amount as {{ double }}) as fixed_cost,
        cast(actions.discount_rate as {{ double }}) as discount_rate,
        cast(action_effects.short_term_rate as {{ double }}) as short_term_rate,
        cast(action_effects.long_term_rate as {{ double }}) as long_term_rate,
        of_all.treatment is not null as is_measured,
        case
            when of_all.verdict = 'no_clear_effect' then 0
            else coalesce(of_history.shrunk_effect, of_all.shrunk_effect)
        end as measured_margin
    from customers
    cross join actions
    left join action_effects
        on actions.action = action_effects.action and customers.churn_risk_band = action_effects.churn_risk_band
    left join measured as of_all
        on lower(actions.treatment) = of_all.treatment and of_all.segment_kind = 'all'
    left join measured as of_history
        on
            lower(actions.treatment) = of_history.treatment
            and of_history.segment_kind = 'order_history'
            and customers.order_history = of_history.segment
    where of_all.treatment is not null or action_effects.action is not null

),

-- A measured margin has the discount in it already, and says nothing of what comes later.
estimated as (

    select
        customer_id,
        action,
        churn_risk_band,
        case when is_measured then 'measured_uplift' else 'stated_assumption' end as effect_source,
        fixed_cost + case when is_measured then 0 else discount_rate * net_now * (1 + short_term_rate) end as cost,
        case when is_measured then measured_margin else short_term_rate * margin_now end as margin_change,
        case when is_measured then measured_margin else short_term_rate * margin_now + long_term_rate * value_later end as value_change
    from judged

)

select
    customer_id,
    action,
    churn_risk_band,
    effect_source,
    -- Up to the next cent: a budget is never overspent by rounding.
    cast(ceil(round(100 * cost, 4)) / 100 as {{ customer_value.type_amount() }}) as cost_amount,
    cast(margin_change as {{ expectation }}) as expected_margin_change,
    cast(value_change as {{ expectation }}) as expected_value_change,
    {{ customer_value.hash_fraction("'holdout:' || customer_id") }} < {{ var('action_holdout_share') }} as is_holdout
from estimated
