-- Nobody is lost between two dates: as many leave a tier, or stay in it, as had come to it by the
-- date before, and with what they were worth then. Who has been erased since is the one exception,
-- being in no table any more: then there may be fewer.
with this_date as (

    select tier_movements.*
    from {{ ref('tier_movements') }} as tier_movements
    inner join {{ ref('int_customer_value__run') }} as run on tier_movements.as_of_date = run.as_of_date
    where tier_movements.previous_date is not null

),

ended as (

    select
        to_tier as tier,
        sum(customer_count) as customer_count,
        sum(predicted_value) as predicted_value
    from {{ ref('tier_movements') }}
    where
        to_tier <> 'none'
        and as_of_date in (select this_date.previous_date from this_date)
    group by to_tier

),

began as (

    select
        from_tier as tier,
        sum(customer_count) as customer_count,
        sum(previous_predicted_value) as predicted_value
    from this_date
    where from_tier <> 'none'
    group by from_tier

),

erased as (

    select count(*) as erased_customer_count
    from {{ ref('int_customer_value__customers_left_out') }}
    where reason = 'erased_customer'

)

select
    coalesce(ended.tier, began.tier) as tier,
    ended.customer_count as customer_count_at_the_end,
    began.customer_count as customer_count_at_the_beginning,
    ended.predicted_value as predicted_value_at_the_end,
    began.predicted_value as predicted_value_at_the_beginning
from ended
full outer join began on ended.tier = began.tier
cross join erased
where
    coalesce(began.customer_count, 0) > coalesce(ended.customer_count, 0)
    or (
        erased.erased_customer_count = 0
        and (
            ended.customer_count is distinct from began.customer_count
            or ended.predicted_value is distinct from began.predicted_value
        )
    )
