{#- The likeliest so many. -#}
{%- set most_predictions = 3 -%}

with sessions as (

    select * from {{ ref('int_customer_value__path_sessions') }}
    where is_latest

),

predictions as (

    select * from {{ ref('next_event_scoring') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- An open session goes on from its last event. After a closed one the next begins, if the customer comes back.
customers as (

    select
        sessions.customer_id,
        sessions.is_open,
        sessions.ended_at,
        case when sessions.is_open then coalesce(sessions.event_before_last, '(start)') else sessions.last_event end as event_before,
        case when sessions.is_open then sessions.last_event else '(start)' end as from_event
    from sessions
    cross join run
    -- Who was last seen longer ago is not looked for in the shop today.
    where {{ customer_value.datediff(customer_value.reporting_date('sessions.ended_at'), 'run.as_of_date', 'day') }} <= run.churn_window_days

),

contexts as (

    select distinct
        event_before,
        from_event
    from predictions

),

-- The longest context that is known.
matched as (

    select
        customers.*,
        case when second_order.from_event is not null then customers.event_before else '(any)' end as known_before,
        coalesce(second_order.from_event, first_order.from_event, '(any)') as known_from
    from customers
    left join contexts as second_order
        on customers.event_before = second_order.event_before and customers.from_event = second_order.from_event
    left join contexts as first_order
        on first_order.event_before = '(any)' and customers.from_event = first_order.from_event

)

select
    matched.customer_id,
    cast(predictions.prediction_rank as {{ dbt.type_int() }}) as prediction_rank,
    predictions.to_event as next_event,
    round(predictions.next_event_probability, 9) as next_event_probability,
    round(predictions.purchase_probability, 9) as purchase_probability,
    matched.is_open as is_session_open,
    matched.ended_at as last_event_at,
    matched.event_before,
    matched.from_event,
    cast(predictions.chain_order as {{ dbt.type_int() }}) as chain_order,
    cast(predictions.context_count as {{ dbt.type_bigint() }}) as context_count,
    run.as_of_date,
    run.run_id
from matched
inner join predictions
    on
        matched.known_before = predictions.event_before
        and matched.known_from = predictions.from_event
        and predictions.prediction_rank <= {{ most_predictions }}
cross join run
