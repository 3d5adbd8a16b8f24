{{ config(materialized='view') }}

{#- What came within so many days of a date is held against what was known before it. -#}
{%- set window_days = 28 -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

)

-- Shares are fitted on the first date, held to the second, and used as of the run's own.
{% for purpose, windows in [('fit', 2), ('test', 1), ('use', 0)] -%}
    select
        '{{ purpose }}' as purpose,
        cast({{ customer_value.dateadd('day', -windows * window_days, 'as_of_date') }} as date) as split_date,
        cast({{ customer_value.dateadd('day', (1 - windows) * window_days, 'as_of_date') }} as date) as window_end_date,
        as_of_date
    from run
    {{ 'union all' if not loop.last }}
{% endfor %}
