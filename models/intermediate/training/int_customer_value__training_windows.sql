with run as (

    select * from {{ ref('int_customer_value__run') }}
    where order_count > 0

),

steps as (

    {{ customer_value.integers(1, '12', 'step') }}

),

-- Up to twelve past dates, evenly spaced, each with at least a quarter of the history before it.
origins as (

    select
        run.as_of_date as run_as_of_date,
        run.history_days,
        cast(
            {{ customer_value.dateadd('day', '-greatest(1, cast(round(run.history_days * steps.step / 12.0) as integer))', 'run.as_of_date') }}
            as date
        ) as as_of_date,
        run.first_order_date
    from run
    cross join steps

),

-- From short to long: the logarithm of the horizon is a feature, and its reach is what lets one
-- model answer horizons that the history can't yet show.
windows as (

    select distinct
        origins.*,
        greatest(1, cast(floor(origins.history_days / horizons.divisor) as integer)) as horizon_days
    from origins
    cross join (values (24.0), (12.0), (6.0), (3.0), (1.5)) as horizons (divisor)

)

-- Only windows that had ended by the run's as_of_date: what follows it is not known.
select
    as_of_date,
    horizon_days
from windows
where
    {{ customer_value.datediff('as_of_date', 'run_as_of_date', 'day') }} >= horizon_days
    and {{ customer_value.datediff('first_order_date', 'as_of_date', 'day') }} >= floor(history_days / 4.0)
    and first_order_date < as_of_date
