{#- Deletes from action_history, before a run adds its plan to it: what an earlier run of the date
    planned, who has been erased, and what is older than prediction_history_max_days.

    Nothing on the first run, when there is no table yet. -#}
{% macro prune_action_history(history) -%}
    {%- set as_of_date -%} (select as_of_date from {{ ref('int_customer_value__run') }}) {%- endset -%}
    {%- if is_incremental() -%}
        delete from {{ history }}
        where
            plan_date = {{ as_of_date }}
            or plan_date < {{ customer_value.dateadd('day', -var('prediction_history_max_days'), as_of_date) }}
            or customer_id in (
                select customer_id from {{ ref('int_customer_value__customers_left_out') }} where reason = 'erased_customer'
            )
    {%- endif -%}
{%- endmacro %}
