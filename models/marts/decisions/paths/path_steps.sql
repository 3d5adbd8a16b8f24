{%- set double = customer_value.type_double() -%}

with measured as (

    select * from {{ ref('path_measurement') }}

),

reach as (

    select * from {{ ref('int_customer_value__path_reach') }}

),

run as (

    select * from {{ ref('int_customer_value__run') }}

)

select
    measured.path_event,
    reach.event_role,
    cast(reach.customer_count as {{ dbt.type_bigint() }}) as customer_count,
    cast(reach.path_count as {{ dbt.type_bigint() }}) as path_count,
    cast(measured.all_path_count as {{ dbt.type_bigint() }}) as all_path_count,
    round(cast(reach.purchase_count as {{ double }}) / reach.path_count, 9) as conversion_with_rate,
    round(
        cast(measured.all_purchase_count - reach.purchase_count as {{ double }}) / nullif(measured.all_path_count - reach.path_count, 0), 9
    ) as conversion_without_rate,
    round(measured.purchase_probability, 9) as purchase_probability,
    round(measured.exit_rate, 9) as exit_rate,
    round(measured.overall_conversion, 9) as overall_conversion_rate,
    round(measured.conversion_if_removed, 9) as conversion_if_removed_rate,
    round(1 - measured.conversion_if_removed / nullif(measured.overall_conversion, 0), 9) as removal_effect,
    round(measured.conversion_if_avoided, 9) as conversion_if_avoided_rate,
    round(measured.conversion_if_avoided / nullif(measured.overall_conversion, 0) - 1, 9) as avoidance_effect,
    run.as_of_date,
    run.run_id
from measured
inner join reach on measured.path_event = reach.path_event
cross join run
