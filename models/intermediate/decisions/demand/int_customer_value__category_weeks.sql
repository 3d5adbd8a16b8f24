{#- Three years tell a season; what is older tells little of what comes. -#}
{%- set most_weeks = 156 -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

order_categories as (

    select * from {{ ref('int_customer_value__order_categories') }}

),

categories as (

    select distinct
        category_number,
        category
    from {{ ref('int_customer_value__categories_numbered') }}

),

-- The first day with lines may be in the middle of a week.
history as (

    select floor({{ customer_value.datediff('min(order_categories.order_date)', 'min(run.as_of_date)', 'day') }} / 7.0) as whole_weeks
    from order_categories
    cross join run

),

-- Weeks of seven days that end where the run's date begins: every one has each day of the week once.
in_weeks as (

    select
        order_categories.category_number,
        order_categories.quantity,
        order_categories.amount,
        floor(({{ customer_value.datediff('order_categories.order_date', 'run.as_of_date', 'day') }} - 1) / 7.0) + 1 as weeks_ago
    from order_categories
    cross join run

)

select
    categories.category,
    cast(in_weeks.weeks_ago as {{ dbt.type_int() }}) as weeks_ago,
    sum(in_weeks.quantity) as quantity,
    count(*) as order_count,
    sum(in_weeks.amount) as amount
from in_weeks
inner join categories on in_weeks.category_number = categories.category_number
cross join history
where in_weeks.weeks_ago <= least(history.whole_weeks, {{ most_weeks }})
group by categories.category, in_weeks.weeks_ago
