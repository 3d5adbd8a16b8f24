with stages as (

    select * from {{ ref('int_customer_value__lifecycle_stages') }}
    where is_current

),

stages_begun as (

    select * from {{ ref('int_customer_value__stages_begun') }}

),

worded as (

    select
        stages.*,
        {% set words = [
            ('recency_days', 'coalesce(cast(stages.recency_days as ' ~ dbt.type_string() ~ "), '')"),
            ('expected_days', 'coalesce(cast(cast(greatest(1, round(stages.expected_days_between_orders)) as ' ~ dbt.type_int() ~ ') as ' ~ dbt.type_string() ~ "), '')"),
            ('silence_rhythms', 'cast(cast(stages.silence_rhythms as decimal(18, 1)) as ' ~ dbt.type_string() ~ ')'),
            ('return_rhythms', 'cast(cast(stages.return_rhythms as decimal(18, 1)) as ' ~ dbt.type_string() ~ ')'),
            ('pace_ratio', 'cast(cast(stages.pace_ratio as decimal(18, 1)) as ' ~ dbt.type_string() ~ ')'),
        ] -%}
        replace(
            {% for name, expression in words -%} replace( {%- endfor -%}
            stages.reason_text
            {%- for name, expression in words %}, '{{ '{' ~ name ~ '}' }}', {{ expression }}) {%- endfor -%},
            ' 1 days', ' 1 day'
        ) as why
    from stages

)

select
    worded.customer_id,
    worded.lifecycle_stage,
    -- A stage of silence begins with the first day that its rule counts in.
    case
        when worded.last_order_date is null then worded.known_date
        when worded.silence_rhythms_from > 0
            then cast(
                {{ customer_value.dateadd(
                    'day',
                    'cast(ceil(worded.silence_rhythms_from * worded.expected_days_between_orders) as ' ~ dbt.type_int() ~ ')',
                    'worded.last_order_date'
                ) }} as date
            )
        else stages_begun.stage_began_date
    end as stage_began_date,
    round(worded.expected_days_between_orders, 2) as expected_days_between_orders,
    worded.last_order_date,
    cast(worded.recency_days as {{ dbt.type_int() }}) as recency_days,
    cast(worded.purchase_day_count as {{ dbt.type_bigint() }}) as purchase_day_count,
    case when worded.last_order_date is not null then round(worded.silence_rhythms, 4) end as silence_rhythms,
    case when worded.last_order_date is not null then round(worded.pace_ratio, 4) end as pace_ratio,
    worded.why,
    worded.as_of_date,
    {{ customer_value.run_id() }} as run_id
from worded
left join stages_begun on worded.customer_id = stages_begun.customer_id
