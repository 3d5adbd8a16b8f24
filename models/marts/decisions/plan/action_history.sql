{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{{ customer_value.prune_action_history(this) }}"
    )
}}

-- depends_on: {{ ref('int_customer_value__run') }}
-- depends_on: {{ ref('int_customer_value__customers_left_out') }}
-- Who was held out is kept as it was: another share later makes no control group of the past.
with action_plan as (

    select * from {{ ref('action_plan') }}

),

options as (

    select * from {{ ref('int_customer_value__action_options') }}

)

select
    action_plan.customer_id,
    action_plan.as_of_date as plan_date,
    options.action,
    action_plan.is_holdout,
    options.cost_amount,
    options.expected_margin_change,
    options.effect_source,
    cast({{ customer_value.dateadd('day', var('action_window_days'), 'action_plan.as_of_date') }} as date) as window_end_date,
    action_plan.run_id
from action_plan
inner join options
    on
        action_plan.customer_id = options.customer_id
        and coalesce(action_plan.withheld_action, action_plan.action) = options.action
