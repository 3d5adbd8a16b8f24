{%- set double = customer_value.type_double() -%}
{#- So many standard deviations between a share of late and the one before set it apart from chance. -#}
{%- set unusual_deviations = 4 -%}

with transitions as (

    select * from {{ ref('next_event_scoring') }}

),

contexts as (

    select * from {{ ref('int_customer_value__event_contexts') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Shorter contexts sum over what was before.
counted as (

    select
        event_before,
        from_event,
        to_event,
        sum(case when is_recent then transition_count else 0 end) as recent_count,
        sum(case when is_recent then 0 else transition_count end) as earlier_count
    from contexts
    group by event_before, from_event, to_event

    union all

    select
        '(any)' as event_before,
        from_event,
        to_event,
        sum(case when is_recent then transition_count else 0 end) as recent_count,
        sum(case when is_recent then 0 else transition_count end) as earlier_count
    from contexts
    group by from_event, to_event

    union all

    select
        '(any)' as event_before,
        '(any)' as from_event,
        to_event,
        sum(case when is_recent then transition_count else 0 end) as recent_count,
        sum(case when is_recent then 0 else transition_count end) as earlier_count
    from contexts
    group by to_event

),

totals as (

    select
        *,
        cast(sum(recent_count) over (partition by event_before, from_event) as {{ double }}) as recent_total,
        cast(sum(earlier_count) over (partition by event_before, from_event) as {{ double }}) as earlier_total
    from counted

),

shares as (

    select
        *,
        recent_count / nullif(recent_total, 0) as recent_share,
        earlier_count / nullif(earlier_total, 0) as earlier_share,
        (recent_count + earlier_count) / (recent_total + earlier_total) as common_share
    from totals

),

compared as (

    select
        *,
        (recent_share - earlier_share)
        / nullif(sqrt(common_share * (1 - common_share) * (1 / nullif(recent_total, 0) + 1 / nullif(earlier_total, 0))), 0) as deviations
    from shares

)

select
    cast(transitions.chain_order as {{ dbt.type_int() }}) as chain_order,
    transitions.event_before,
    transitions.from_event,
    transitions.to_event,
    cast(transitions.transition_count as {{ dbt.type_bigint() }}) as transition_count,
    cast(transitions.context_count as {{ dbt.type_bigint() }}) as context_count,
    round(cast(transitions.transition_count as {{ double }}) / transitions.context_count, 9) as transition_rate,
    round(transitions.next_event_probability, 9) as next_event_probability,
    cast(compared.recent_count as {{ dbt.type_bigint() }}) as recent_transition_count,
    round(compared.recent_share, 9) as recent_transition_rate,
    round(compared.earlier_share, 9) as earlier_transition_rate,
    coalesce(abs(compared.deviations) > {{ unusual_deviations }}, false) as is_changed,
    run.as_of_date,
    run.run_id
from transitions
inner join compared
    on
        transitions.event_before = compared.event_before
        and transitions.from_event = compared.from_event
        and transitions.to_event = compared.to_event
cross join run
