{{ config(materialized='view') }}

{#- Beyond so many values a column hardly tells groups; and a value of so few customers would tell who
    they are. -#}
{%- set most_values = 50 -%}
{%- set fewest_customers = 5 -%}

-- A view, so that no table holds which group a customer belongs to.
with customer_groups as (

    select * from {{ ref('stg_customer_value__customer_groups') }}

),

identities as (

    select * from {{ ref('int_customer_value__identities_merged') }}

),

scored_customers as (

    select customer_id from {{ ref('churn_scoring') }}

),

group_names as (

    select distinct group_name
    from customer_groups

),

-- Of several rows about a customer the first value by the alphabet counts.
given as (

    select
        coalesce(identities.canonical_customer_id, customer_groups.customer_id) as customer_id,
        customer_groups.group_name,
        min(customer_groups.group_value) as group_value
    from customer_groups
    left join identities on customer_groups.customer_id = identities.customer_id
    group by coalesce(identities.canonical_customer_id, customer_groups.customer_id), customer_groups.group_name

),

-- Whoever is scored belongs to a group, and be it that of those of whom it is not known.
grouped as (

    select
        scored_customers.customer_id,
        group_names.group_name,
        coalesce(given.group_value, 'not known') as group_value
    from scored_customers
    cross join group_names
    left join given
        on
            scored_customers.customer_id = given.customer_id
            and group_names.group_name = given.group_name

),

sizes as (

    select
        group_name,
        group_value,
        count(*) as customer_count,
        row_number() over (partition by group_name order by count(*) desc, group_value) as size_rank
    from grouped
    group by group_name, group_value

)

select
    grouped.customer_id,
    grouped.group_name,
    case
        when sizes.customer_count < {{ fewest_customers }} or sizes.size_rank > {{ most_values }} then 'other values'
        else grouped.group_value
    end as group_value
from grouped
inner join sizes
    on
        grouped.group_name = sizes.group_name
        and grouped.group_value = sizes.group_value
