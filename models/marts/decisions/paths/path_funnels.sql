{%- set double = customer_value.type_double() -%}
{#- The half-width of a 95% interval in standard deviations, and how many of them set a segment apart: chance
    alone takes one in sixteen thousand so far. -#}
{%- set interval_deviations = 1.959964 -%}
{%- set unusual_deviations = 4 -%}
{#- A segment's kind with what tells it of a session. Weeks begin on Mondays. -#}
{%- set kinds = [
    ('all', "'all'"),
    ('week', 'cast(cast(' ~ dbt.date_trunc('week', 'start_date') ~ ' as date) as ' ~ dbt.type_string() ~ ')'),
    ('acquaintance', "case when known_days < 30 then 'new' when known_days < 90 then 'returning' else 'loyal' end"),
] -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

sessions as (

    select
        customer_id,
        session_key,
        {% for kind, expression in kinds -%}
            {{ expression }} as segment_{{ kind }} {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_customer_value__path_sessions') }}

),

funnel_sessions as (

    select * from {{ ref('int_customer_value__funnel_sessions') }}

),

event_roles as (

    select distinct
        funnel_step,
        event_role
    from {{ ref('event_roles') }}
    where funnel_step is not null

),

steps as (

    select distinct
        funnel_sessions.step_number,
        event_roles.event_role as step
    from funnel_sessions
    inner join event_roles on funnel_sessions.funnel_step = event_roles.funnel_step

),

-- Every session begins the funnel.
reached as (

    select
        sessions.*,
        0 as step_number,
        true as is_in_order,
        cast(null as {{ dbt.type_bigint() }}) as seconds_from_previous
    from sessions

    union all

    select
        sessions.*,
        funnel_sessions.step_number,
        funnel_sessions.reached_at is not null as is_in_order,
        {{ dbt.datediff('funnel_sessions.previous_reached_at', 'funnel_sessions.reached_at', 'second') }} as seconds_from_previous
    from funnel_sessions
    inner join sessions
        on
            funnel_sessions.customer_id = sessions.customer_id
            and funnel_sessions.session_key = sessions.session_key

),

counted as (

    {% for kind, _ in kinds -%}
        select
            '{{ kind }}' as segment_kind,
            segment_{{ kind }} as segment,
            step_number,
            count(case when is_in_order then 1 end) as session_count,
            count(distinct case when is_in_order then customer_id end) as customer_count,
            count(*) as reached_session_count,
            percentile_cont(0.5) within group (order by seconds_from_previous) as median_seconds_from_previous
        from reached
        group by segment_{{ kind }}, step_number
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- A step that none of a segment's sessions reached is a row too.
cells as (

    select
        starts.segment_kind,
        starts.segment,
        steps.step_number,
        steps.step,
        starts.session_count as started_session_count,
        coalesce(counted.session_count, 0) as session_count,
        coalesce(counted.customer_count, 0) as customer_count,
        coalesce(counted.reached_session_count, 0) as reached_session_count,
        counted.median_seconds_from_previous
    from counted as starts
    cross join (select * from steps union all select 0 as step_number, 'session' as step) as steps
    left join counted
        on
            starts.segment_kind = counted.segment_kind
            and starts.segment = counted.segment
            and steps.step_number = counted.step_number
    where starts.step_number = 0

),

with_previous as (

    select
        *,
        lag(session_count) over (partition by segment_kind, segment order by step_number) as previous_session_count
    from cells

),

compared as (

    select
        *,
        cast(session_count as {{ double }}) / nullif(previous_session_count, 0) as conversion,
        cast(sum(session_count) over (partition by segment_kind, step_number) - session_count as {{ double }}) as other_session_count,
        cast(sum(previous_session_count) over (partition by segment_kind, step_number) - previous_session_count as {{ double }})
            as other_previous_session_count
    from with_previous

),

-- Wilson's interval, and the test of two shares with their common variance.
measured as (

    select
        *,
        {{ interval_deviations }} * {{ interval_deviations }} / nullif(previous_session_count, 0) as doubt,
        other_session_count / nullif(other_previous_session_count, 0) as other_conversion,
        (session_count + other_session_count) / nullif(previous_session_count + other_previous_session_count, 0) as common_conversion
    from compared

),

tested as (

    select
        *,
        (conversion + doubt / 2) / (1 + doubt) as interval_center,
        {{ interval_deviations }}
        * sqrt(conversion * (1 - conversion) / nullif(previous_session_count, 0) + doubt / nullif(previous_session_count, 0) / 4)
        / (1 + doubt) as interval_half_width,
        (conversion - other_conversion)
        / nullif(
            sqrt(
                common_conversion * (1 - common_conversion)
                * (1.0 / nullif(previous_session_count, 0) + 1.0 / nullif(other_previous_session_count, 0))
            ),
            0
        ) as deviations_from_others
    from measured

)

select
    tested.segment_kind,
    tested.segment,
    cast(tested.step_number as {{ dbt.type_int() }}) as step_number,
    tested.step,
    cast(tested.session_count as {{ dbt.type_bigint() }}) as session_count,
    cast(tested.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(tested.reached_session_count as {{ dbt.type_bigint() }}) as reached_session_count,
    round(tested.conversion, 9) as conversion_from_previous_rate,
    round(greatest(tested.interval_center - tested.interval_half_width, 0), 9) as conversion_lower_rate,
    round(least(tested.interval_center + tested.interval_half_width, 1), 9) as conversion_upper_rate,
    round(cast(tested.session_count as {{ double }}) / tested.started_session_count, 9) as conversion_from_start_rate,
    round(tested.other_conversion, 9) as other_segments_conversion_rate,
    coalesce(abs(tested.deviations_from_others) > {{ unusual_deviations }}, false) as is_unusual,
    round(cast(tested.median_seconds_from_previous as {{ double }}), 1) as median_seconds_from_previous,
    run.as_of_date,
    run.run_id
from tested
cross join run
