{%- set double = customer_value.type_double() -%}
{#- The likeliest so many. -#}
{%- set most_predictions = 3 -%}
{%- set parts = ['recent', 'own', 'follow', 'shop'] -%}

with candidates as (

    select * from {{ ref('int_customer_value__category_candidates') }}
    where purpose = 'use'

),

weights as (

    select * from {{ ref('next_category_training') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

scored as (

    select
        candidates.*,
        {% for part in parts -%}
            weights.{{ part }}_weight * candidates.{{ part }}_rate as from_{{ part }},
        {% endfor -%}
        round(
            {% for part in parts -%}
                weights.{{ part }}_weight * candidates.{{ part }}_rate {{- ' +' if not loop.last }}
            {% endfor -%}, 9
        ) as next_category_probability
    from candidates
    inner join weights on candidates.history_band = weights.history_band

),

ranked as (

    select
        *,
        row_number() over (partition by customer_id order by next_category_probability desc, category asc) as prediction_rank
    from scored

)

select
    ranked.customer_id,
    cast(ranked.prediction_rank as {{ dbt.type_int() }}) as prediction_rank,
    ranked.category as next_category,
    ranked.next_category_probability,
    round(ranked.own_rate, 9) as own_rate,
    round(ranked.shop_rate, 9) as shop_rate,
    case greatest(ranked.from_recent + ranked.from_own, ranked.from_follow, ranked.from_shop)
        when ranked.from_recent + ranked.from_own then 'Ordered before'
        when ranked.from_follow then 'Follows the last order'
        else 'Popular in the shop'
    end as why,
    ranked.history_band,
    run.as_of_date,
    run.run_id
from ranked
cross join run
where ranked.prediction_rank <= {{ most_predictions }}
