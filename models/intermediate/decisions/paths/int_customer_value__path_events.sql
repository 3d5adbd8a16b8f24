{#- Where the log names no session, so many minutes without an event end one. -#}
{%- set session_gap_minutes = 30 -%}
{#- Names beyond the most frequent ones are one: chains grow with the square of their number. -#}
{%- set most_names = 40 -%}
{%- set in_order -%}
partition by customer_id, session_id, gap_number
order by event_at, coalesce(funnel_step, 0), name_id, product_id nulls first
{%- endset -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

event_roles as (

    select * from {{ ref('event_roles') }}

),

-- What falls on the run's date or later is not known yet, also where the orders tell the date.
events as (

    select
        events.customer_id,
        nullif(trim(events.session_id), '') as session_id,
        events.product_id,
        events.event_name,
        events.event_at,
        {{ customer_value.reporting_date('events.event_at') }} as event_date
    from {{ ref('int_customer_value__events_checked') }} as events
    cross join run
    where events.reject_reason is null and {{ customer_value.reporting_date('events.event_at') }} < run.as_of_date

),

names as (

    select
        event_name,
        count(*) as event_count
    from events
    group by event_name

),

names_with_roles as (

    select
        names.event_name,
        event_roles.event_role,
        event_roles.funnel_step,
        row_number() over (
            partition by coalesce(event_roles.event_role, '') = 'purchase', names.event_name like '(%'
            order by event_roles.event_role is null asc, names.event_count desc, names.event_name asc
        ) as name_number
    from names
    left join event_roles on replace(replace(lower(trim(names.event_name)), ' ', '_'), '-', '_') = event_roles.event_name

),

-- A purchase ends a path, whatever it is called. Names in parentheses are ours.
states as (

    select
        event_name,
        event_role,
        funnel_step,
        case
            when event_role = 'purchase' then '(purchase)'
            when name_number > {{ most_names }} or event_name like '(%' then '(other)'
            else event_name
        end as path_event
    from names_with_roles

),

-- Windows hold every event at once, and numbers take less room than names.
numbered as (

    select
        *,
        row_number() over (order by event_name) as name_id,
        dense_rank() over (order by path_event) as state_id
    from states

),

state_names as (

    select distinct
        state_id,
        path_event
    from numbered

),

with_states as (

    select
        events.customer_id,
        events.session_id,
        events.product_id,
        events.event_at,
        events.event_date,
        numbered.name_id,
        numbered.state_id,
        numbered.event_role,
        numbered.funnel_step,
        numbered.event_role = 'purchase' as is_purchase
    from events
    inner join numbered on events.event_name = numbered.event_name

),

with_previous_time as (

    select
        *,
        lag(event_at) over (partition by customer_id order by event_at) as previous_event_at
    from with_states
    where session_id is null

),

in_sessions as (

    select
        customer_id,
        session_id,
        product_id,
        event_at,
        event_date,
        name_id,
        state_id,
        event_role,
        funnel_step,
        is_purchase,
        sum(
            case when event_at > {{ customer_value.dateadd('minute', session_gap_minutes, 'previous_event_at') }} then 1 else 0 end
        ) over (
            partition by customer_id
            order by event_at
            range between unbounded preceding and current row
        ) as gap_number
    from with_previous_time

    union all

    select
        *,
        0 as gap_number
    from with_states
    where session_id is not null

),

-- Events of one time stand in the order of the funnel.
in_paths as (

    select
        *,
        row_number() over ({{ in_order }}) as event_number,
        {% for steps, name in [(1, 'previous_id'), (2, 'id_before_previous')] -%}
            lag(state_id, {{ steps }}) over ({{ in_order }}) as {{ name }},
        {% endfor -%}
        lead(state_id) over ({{ in_order }}) is null as is_last_of_session,
        {% for frame, name in [
            ('unbounded preceding and 1 preceding', 'purchases_before'),
            ('current row and unbounded following', 'purchases_to_come'),
        ] -%}
            count(case when is_purchase then 1 end) over ({{ in_order }} rows between {{ frame }}) as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from in_sessions

)

select
    in_paths.customer_id,
    coalesce(in_paths.session_id || '|', '') || in_paths.gap_number as session_key,
    cast(in_paths.event_number as {{ dbt.type_bigint() }}) as event_number,
    in_paths.event_at,
    in_paths.event_date,
    own.path_event,
    in_paths.event_role,
    in_paths.funnel_step,
    in_paths.product_id,
    previous.path_event as previous_event,
    before_previous.path_event as event_before_previous,
    in_paths.is_last_of_session,
    -- Still open as the run's date began, so that how it ends is not known.
    in_paths.is_last_of_session
    and {{ customer_value.reporting_date(customer_value.dateadd('minute', session_gap_minutes, 'in_paths.event_at')) }} >= run.as_of_date as is_open,
    -- The purchase that ends a path belongs to it.
    cast(in_paths.purchases_before as {{ dbt.type_bigint() }}) as path_number,
    in_paths.purchases_to_come > 0 as is_before_purchase
from in_paths
inner join state_names as own on in_paths.state_id = own.state_id
left join state_names as previous on in_paths.previous_id = previous.state_id
left join state_names as before_previous on in_paths.id_before_previous = before_previous.state_id
cross join run
