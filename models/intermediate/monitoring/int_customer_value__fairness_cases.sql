{%- set double = customer_value.type_double() -%}

with customer_groups as (

    select * from {{ ref('int_customer_value__customer_groups') }}

),

customer_tiers as (

    select * from {{ ref('customer_tiers') }}

),

held_out as (

    select * from {{ ref('held_out_scoring') }}

),

predictions_realized as (

    select * from {{ ref('int_customer_value__predictions_realized') }}

),

model_registry as (

    select * from {{ ref('model_registry') }}

),

-- The tier of the first rule: vip, unless the seed says otherwise.
best_tier as (

    select tier
    from {{ ref('tier_rules') }}
    order by tier_rank
    limit 1

),

newest_models as (

    select
        model_name,
        model_version
    from model_registry
    qualify row_number() over (partition by model_name order by registration_number desc) = 1

),

-- Whose windows closed last, of each target.
latest_realized as (

    select
        target,
        max(as_of_date) as as_of_date
    from predictions_realized
    group by target

),

-- All customers, counted: who is selected needs no sample.
selections as (

    select
        'current' as evidence,
        'tier' as target,
        customer_tiers.as_of_date as evidence_as_of_date,
        cast(null as {{ dbt.type_int() }}) as horizon_days,
        customer_tiers.model_version,
        customer_groups.group_name,
        customer_groups.group_value,
        count(*) as customer_count,
        case when customer_tiers.tier = best_tier.tier then 1.0 else 0.0 end as predicted,
        cast(null as {{ double }}) as actual
    from customer_tiers
    inner join customer_groups on customer_tiers.customer_id = customer_groups.customer_id
    cross join best_tier
    group by
        customer_tiers.as_of_date,
        customer_tiers.model_version,
        customer_groups.group_name,
        customer_groups.group_value,
        case when customer_tiers.tier = best_tier.tier then 1.0 else 0.0 end

),

held_out_cases as (

    {% for target, model_name, horizon_days, predicted, actual in [
        ('churn', 'churn', 'churn_horizon_days', 'churn_probability', 'case when held_out.is_churned then 1.0 else 0.0 end'),
        ('value', 'spend', 'value_horizon_days', 'predicted_net_amount', 'held_out.actual_net_amount'),
    ] -%}
        select
            'held_out' as evidence,
            '{{ target }}' as target,
            cast(held_out.as_of_date as date) as evidence_as_of_date,
            cast(held_out.{{ horizon_days }} as {{ dbt.type_int() }}) as horizon_days,
            newest_models.model_version,
            customer_groups.group_name,
            customer_groups.group_value,
            1 as customer_count,
            held_out.{{ predicted }} as predicted,
            {{ actual }} as actual
        from held_out
        inner join customer_groups on held_out.customer_id = customer_groups.customer_id
        inner join newest_models on newest_models.model_name = '{{ model_name }}'
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

realized_cases as (

    select
        'realized' as evidence,
        predictions_realized.target,
        predictions_realized.as_of_date as evidence_as_of_date,
        cast(
            {{ customer_value.datediff('predictions_realized.as_of_date', 'predictions_realized.window_end_date', 'day') }} as {{ dbt.type_int() }}
        ) as horizon_days,
        predictions_realized.model_version,
        customer_groups.group_name,
        customer_groups.group_value,
        1 as customer_count,
        predictions_realized.predicted,
        predictions_realized.actual
    from predictions_realized
    inner join latest_realized
        on
            predictions_realized.target = latest_realized.target
            and predictions_realized.as_of_date = latest_realized.as_of_date
    inner join customer_groups on predictions_realized.customer_id = customer_groups.customer_id

)

-- Nobody's id goes on from here.
select * from selections
union all
select * from held_out_cases
union all
select * from realized_cases
