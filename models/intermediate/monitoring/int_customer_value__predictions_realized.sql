{%- set limit = customer_value.monitored_customer_limit() -%}
{#- For so many days after a window has closed it is measured again, so that a run that did not
    happen loses no date and late refunds still count. -#}
{%- set measured_again_days = 31 -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

prediction_history as (

    select * from {{ ref('prediction_history') }}

),

scored_dates as (

    select
        as_of_date,
        churn_window_days,
        horizon_end_date,
        count(*) as customer_count
    from prediction_history
    group by as_of_date, churn_window_days, horizon_end_date

),

previous as (

    select max(scored_dates.as_of_date) as as_of_date
    from scored_dates
    inner join run on scored_dates.as_of_date < run.as_of_date

),

windows as (

    select
        as_of_date,
        customer_count,
        'churn' as target,
        cast({{ customer_value.dateadd('day', 'churn_window_days', 'as_of_date') }} as date) as window_end_date
    from scored_dates

    union all

    select
        as_of_date,
        customer_count,
        'value' as target,
        horizon_end_date as window_end_date
    from scored_dates

),

windows_closed as (

    select windows.*
    from windows
    cross join run
    cross join previous
    where
        windows.window_end_date <= run.as_of_date
        and (
            windows.window_end_date > previous.as_of_date
            or windows.window_end_date > {{ customer_value.dateadd('day', -measured_again_days, 'run.as_of_date') }}
        )

),

predictions as (

    select
        windows_closed.target,
        windows_closed.window_end_date,
        prediction_history.customer_id,
        prediction_history.as_of_date,
        prediction_history.model_version,
        prediction_history.churn_probability,
        prediction_history.predicted_net_amount,
        prediction_history.predicted_net_amount_lower,
        prediction_history.predicted_net_amount_upper
    from prediction_history
    inner join windows_closed on prediction_history.as_of_date = windows_closed.as_of_date
    where
        {{ customer_value.hash_fraction("'monitoring:' || prediction_history.customer_id") }} * windows_closed.customer_count < {{ limit }}

),

outcomes as (

    select
        predictions.target,
        predictions.as_of_date,
        predictions.customer_id,
        count(*) as order_count,
        sum(orders.net_amount) as net_amount
    from predictions
    inner join {{ ref('orders_cleaned') }} as orders
        on
            predictions.customer_id = orders.customer_id
            and predictions.as_of_date <= orders.order_date
            and predictions.window_end_date > orders.order_date
    group by predictions.target, predictions.as_of_date, predictions.customer_id

)

select
    predictions.as_of_date,
    predictions.target,
    predictions.customer_id,
    predictions.model_version,
    predictions.window_end_date,
    case
        when predictions.target = 'churn' then predictions.churn_probability
        else cast(predictions.predicted_net_amount as {{ customer_value.type_double() }})
    end as predicted,
    case when predictions.target = 'value' then cast(predictions.predicted_net_amount_lower as {{ customer_value.type_double() }}) end
        as predicted_lower,
    case when predictions.target = 'value' then cast(predictions.predicted_net_amount_upper as {{ customer_value.type_double() }}) end
        as predicted_upper,
    case
        when predictions.target = 'value' then cast(coalesce(outcomes.net_amount, 0) as {{ customer_value.type_double() }})
        when outcomes.order_count > 0 then 0.0
        else 1.0
    end as actual
from predictions
left join outcomes
    on
        predictions.target = outcomes.target
        and predictions.as_of_date = outcomes.as_of_date
        and predictions.customer_id = outcomes.customer_id
