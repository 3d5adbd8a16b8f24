{%- set double = customer_value.type_double() -%}
{#- The half-width of a 95% interval in standard deviations, and how many of them set a segment apart: chance
    alone takes one in sixteen thousand so far. -#}
{%- set interval_deviations = 1.959964 -%}
{%- set unusual_deviations = 4 -%}
{%- set elsewhere = 'partition by segment_kind, step_number' -%}
{%- set shares = [
    ('conversion', 'session_count', 'previous_session_count'),
    ('reach', 'kept_session_count', 'previous_reached_count'),
] -%}
{#- A segment's kind with what tells it of a session. Weeks begin on Mondays. -#}
{%- set kinds = [
    ('all', "'all'"),
    ('week', "cast(cast(date_trunc('week', start_date) as date) as " ~ dbt.type_string() ~ ')'),
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

-- Every session begins the funnel.
steps as (

    select
        0 as step_number,
        'session' as step

    union all

    select distinct
        funnel_sessions.step_number,
        event_roles.event_role as step
    from funnel_sessions
    inner join event_roles on funnel_sessions.funnel_step = event_roles.funnel_step

),

reached as (

    select
        sessions.*,
        0 as step_number,
        true as is_in_order,
        true as has_step_before,
        cast(null as {{ dbt.type_bigint() }}) as seconds_from_previous
    from sessions

    union all

    select
        sessions.*,
        funnel_sessions.step_number,
        funnel_sessions.reached_at is not null as is_in_order,
        funnel_sessions.has_step_before,
        {{ customer_value.datediff('funnel_sessions.previous_reached_at', 'funnel_sessions.reached_at', 'second') }} as seconds_from_previous
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
            count(case when has_step_before then 1 end) as kept_session_count,
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
        coalesce(counted.kept_session_count, 0) as kept_session_count,
        counted.median_seconds_from_previous
    from counted as starts
    cross join steps
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
        lag(session_count) over (partition by segment_kind, segment order by step_number) as previous_session_count,
        lag(reached_session_count) over (partition by segment_kind, segment order by step_number) as previous_reached_count
    from cells

),

-- Times may be too coarse to tell an order, so shares of any order are compared too.
compared as (

    select
        *,
        {% for name, part, whole in shares -%}
            cast({{ part }} as {{ double }}) / nullif({{ whole }}, 0) as {{ name }},
            cast(sum({{ part }}) over ({{ elsewhere }}) - {{ part }} as {{ double }})
            / nullif(sum({{ whole }}) over ({{ elsewhere }}) - {{ whole }}, 0) as other_{{ name }},
            cast(sum({{ part }}) over ({{ elsewhere }}) as {{ double }}) / nullif(sum({{ whole }}) over ({{ elsewhere }}), 0) as common_{{ name }},
            1 / cast(nullif({{ whole }}, 0) as {{ double }})
            + 1 / cast(nullif(sum({{ whole }}) over ({{ elsewhere }}) - {{ whole }}, 0) as {{ double }}) as variance_of_{{ name }},
        {% endfor -%}
        {{ interval_deviations }} * {{ interval_deviations }} / cast(nullif(previous_session_count, 0) as {{ double }}) as doubt
    from with_previous

),

-- Wilson's interval, and the test of two shares with their common variance.
tested as (

    select
        *,
        (conversion + doubt / 2) / (1 + doubt) as interval_center,
        sqrt(conversion * (1 - conversion) * doubt + doubt * doubt / 4) / (1 + doubt) as interval_half_width
        {%- for name, _, _ in shares %},
            (({{ name }} - other_{{ name }}) / nullif(sqrt(common_{{ name }} * (1 - common_{{ name }}) * variance_of_{{ name }}), 0))
            as deviations_of_{{ name }}
        {%- endfor %}
    from compared

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
    -- Where it is 0 or 1 a rounding error could take it beyond.
    case when tested.conversion = 0 then 0 else round(tested.interval_center - tested.interval_half_width, 9) end as conversion_lower_rate,
    case when tested.conversion = 1 then 1 else round(tested.interval_center + tested.interval_half_width, 9) end as conversion_upper_rate,
    round(tested.reach, 9) as reached_from_previous_rate,
    round(cast(tested.session_count as {{ double }}) / tested.started_session_count, 9) as conversion_from_start_rate,
    round(tested.other_conversion, 9) as other_segments_conversion_rate,
    round(tested.other_reach, 9) as other_segments_reached_rate,
    coalesce(abs(tested.deviations_of_conversion) > {{ unusual_deviations }}, false)
    or coalesce(abs(tested.deviations_of_reach) > {{ unusual_deviations }}, false) as is_unusual,
    round(cast(tested.median_seconds_from_previous as {{ double }}), 1) as median_seconds_from_previous,
    run.as_of_date,
    run.run_id
from tested
cross join run
