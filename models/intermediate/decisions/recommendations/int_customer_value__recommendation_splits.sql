{#- A window, in which what was recommended at its beginning is looked for. -#}
{%- set window_days = var('recommendation_window_days') -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- As many as may be joined with a customer's products or a product's customers: fewer in a large shop.
purchases as (

    select
        count(*) as product_count,
        greatest(sum(customer_count), 1) as purchase_count
    from {{ ref('int_customer_value__products_sold') }}

),

limits as (

    select
        product_count,
        {% for name, joined_rows, least, most in [
            ('neighbour_count', 50000000, 10, 50), ('spoken_for_count', 150000000, 10, 100), ('candidate_count', 100000000, 20, 60),
        ] -%}
            cast(least(greatest({{ joined_rows }} / purchase_count, {{ least }}), {{ most }}) as {{ dbt.type_int() }}) as {{ name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from purchases

)

-- Chosen on one window, measured on the next, told as of the date of the run.
{% for split, windows_back in [('choice', 2), ('report', 1), ('now', 0)] -%}
    select
        '{{ split }}' as split,
        {{ windows_back }} as windows_back,
        cast({{ customer_value.dateadd('day', -windows_back * window_days, 'run.as_of_date') }} as date) as split_date,
        cast({{ customer_value.dateadd('day', (1 - windows_back) * window_days, 'run.as_of_date') }} as date) as window_end_date,
        cast({{ customer_value.dateadd('day', -(windows_back + 1) * window_days, 'run.as_of_date') }} as date) as recent_from_date,
        limits.neighbour_count,
        limits.spoken_for_count,
        limits.candidate_count
    from run
    cross join limits
    where limits.product_count > 0
    {{ 'union all' if not loop.last }}
{% endfor %}
