{#- Beyond the largest so many, categories are one. -#}
{%- set most_categories = 500 -%}

-- As the lines call them, and as demand does: for a line without one, and for the smallest together.
with given as (

    select
        category as line_category,
        coalesce(nullif(trim(category), ''), 'unknown') as category,
        sum(gross_amount - discount_amount) as amount
    from {{ ref('order_lines_cleaned') }}
    where line_kind = 'sale'
    group by category

),

categories as (

    select
        category,
        row_number() over (order by sum(amount) desc, category asc) as place
    from given
    group by category

),

named as (

    select
        given.line_category,
        case when categories.place <= {{ most_categories }} then given.category else '(other)' end as category
    from given
    inner join categories on given.category = categories.category

)

-- In the order of the alphabet.
select
    coalesce(line_category, '') as line_category,
    category,
    cast(dense_rank() over (order by category) as {{ dbt.type_int() }}) as category_number
from named
group by coalesce(line_category, ''), category
