{#- Deletes from prediction_history, before a run adds its date to it: what the date said before, who
    has been erased, and what is too old to be kept. Beyond the last prediction_history_daily_days
    days the first scored date of each month stays, and nothing beyond prediction_history_max_days. The date
    before this run stays until the next one: what changed since is told by it.

    Nothing on the first run, when there is no table yet. -#}
{% macro prune_prediction_history(history) -%}
    {%- set as_of_date -%} (select as_of_date from {{ ref('int_customer_value__run') }}) {%- endset -%}
    {%- if is_incremental() -%}
        delete from {{ history }}
        where
            as_of_date = {{ as_of_date }}
            or as_of_date < {{ customer_value.dateadd('day', -var('prediction_history_max_days'), as_of_date) }}
            or (
                as_of_date <= {{ customer_value.dateadd('day', -var('prediction_history_daily_days'), as_of_date) }}
                and as_of_date not in (select min(as_of_date) from {{ history }} group by date_trunc('month', as_of_date))
                and as_of_date <> (select max(as_of_date) from {{ history }} where as_of_date < {{ as_of_date }})
            )
            or customer_id in (
                select customer_id from {{ ref('int_customer_value__customers_left_out') }} where reason = 'erased_customer'
            )
    {%- endif -%}
{%- endmacro %}
