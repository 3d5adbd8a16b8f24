{{ config(severity=var('champion_severity')) }}

-- A champion whose score on the untouched origin is worse than a naive model's by more than two
-- standard errors, so that chance among its customers alone does not fail a build.
with newest as (

    select
        *,
        dense_rank() over (partition by target order by as_of_date desc, is_full_evaluation desc) as recency_rank
    from {{ ref('model_backtest') }}

)

select *
from newest
where
    recency_rank = 1
    and is_untouched
    and is_naive
    and metric = 'champion_gain'
    and value < -2 * standard_error
