{{ config(materialized='view') }}

{%- set methods = (var('missing_values') or {}).get('customers') or {} -%}

with customers as (

    select
        customers.*,
        coalesce(identities.canonical_customer_id, customers.customer_id) as canonical_customer_id
    from {{ ref('stg_customer_value__customers') }} as customers
    left join {{ ref('int_customer_value__identities_merged') }} as identities on customers.customer_id = identities.customer_id

),

customers_left_out as (

    select * from {{ ref('int_customer_value__customers_left_out') }}

),

judged as (

    select
        customers.*,
        case
            {{ customer_value.customer_reject_reason('customers') }}
            when {{ customer_value.is_unreadable('customers.acquisition_cost', 'customers.raw_acquisition_cost') }} then 'unparseable_acquisition_cost'
            when {{ customer_value.is_out_of_range(['customers.acquisition_cost']) }} then 'amount_out_of_range'
            when {{ customer_value.is_unreadable('customers.acquired_at', 'customers.raw_acquired_at') }} then 'unparseable_acquired_at'
            {% for name, method in methods.items() if method == 'reject' -%}
                when customers.{{ name }} is null then 'missing_{{ name }}'
            {% endfor -%}
        end as first_reject_reason
    from customers
    left join customers_left_out on customers.customer_id = customers_left_out.customer_id

),

-- Copies of a row that is usable, apart from the one that is kept.
numbered as (

    select
        *,
        row_number() over (
            partition by first_reject_reason, customer_id
            order by acquired_at asc nulls last, acquisition_cost desc nulls last, acquisition_channel asc nulls last
        ) as copy_number
    from judged

)

select
    canonical_customer_id as customer_id,
    customer_id as raw_customer_id,
    acquisition_channel,
    acquisition_cost,
    acquired_at,
    raw_acquisition_cost,
    raw_acquired_at,
    case
        when first_reject_reason is null and copy_number > 1 then 'duplicate_customer_id'
        else first_reject_reason
    end as reject_reason
from numbered
