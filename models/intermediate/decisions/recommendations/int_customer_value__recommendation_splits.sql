{#- A window, in which what was recommended at its beginning is looked for. -#}
{%- set window_days = var('recommendation_window_days') -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- As many as may be joined with a customer's products or a product's customers: fewer in a large shop.
limits as (

    select
        count(*) as product_count,
        least(greatest(50000000 / greatest(sum(customer_count), 1), 10), 50) as neighbour_count
    from {{ ref('int_customer_value__products_sold') }}

)

-- Chosen on one window, measured on the next, told as of the date of the run.
{% for split, windows_back in [('choice', 2), ('report', 1), ('now', 0)] -%}
    select
        '{{ split }}' as split,
        {{ windows_back }} as windows_back,
        cast({{ customer_value.dateadd('day', -windows_back * window_days, 'run.as_of_date') }} as date) as split_date,
        cast({{ customer_value.dateadd('day', (1 - windows_back) * window_days, 'run.as_of_date') }} as date) as window_end_date,
        cast({{ customer_value.dateadd('day', -(windows_back + 1) * window_days, 'run.as_of_date') }} as date) as recent_from_date,
        cast(limits.neighbour_count as {{ dbt.type_int() }}) as neighbour_count
    from run
    cross join limits
    where limits.product_count > 0
    {{ 'union all' if not loop.last }}
{% endfor %}
