{{ config(materialized='view') }}

with orders_checked as (

    select * from {{ ref('int_customer_value__orders_checked') }}
    where reject_reason is null and exclusion_reason is null and not is_refund

),

orders_repeated as (

    select * from {{ ref('int_customer_value__orders_repeated') }}

),

kept as (

    {%- set columns %}
        order_id,
        customer_id,
        ordered_at,
        order_date,
        gross_amount,
        discount_amount,
        refund_amount,
        cost_amount,
        currency,
        currency_code,
        exchange_rate,
        channel,
        store,
        status,
        order_status,
        refunded_at,
        updated_at
    {%- endset %}

    -- Rows whose id only shares its hash with another are among the repeated ones, each the
    -- latest version of itself: so no row is lost and none is kept twice.
    select {{ columns }}
    from orders_checked
    where
        {{ customer_value.hash_key('order_id') }} not in (
            select {{ customer_value.hash_key('order_id') }} from orders_repeated
        )

    union all

    select {{ columns }}
    from orders_repeated
    where version_rank = 1 and exclusion_reason is null

)

select
    order_id,
    customer_id,
    ordered_at,
    order_date,
    {% for name in ['gross_amount', 'discount_amount', 'cost_amount'] -%}
        {{ customer_value.in_reporting_currency(name) }} as {{ name }},
    {% endfor -%}
    {% if var('reporting_currency') -%}
        -- Beside the discount, so that what is refunded as a whole comes to nothing to the cent.
        {{ customer_value.in_reporting_currency('(coalesce(discount_amount, 0) + refund_amount)') }}
        - coalesce({{ customer_value.in_reporting_currency('discount_amount') }}, 0) as refund_amount,
        '{{ var("reporting_currency") }}' as currency,
        currency_code as original_currency,
        gross_amount as original_gross_amount,
        discount_amount as original_discount_amount,
    {%- else -%}
        refund_amount,
        currency,
        cast(null as {{ dbt.type_string() }}) as original_currency,
        cast(null as {{ customer_value.type_amount() }}) as original_gross_amount,
        cast(null as {{ customer_value.type_amount() }}) as original_discount_amount,
    {%- endif %}
    exchange_rate,
    -- Spaces say no more than nothing, and are filled like it.
    case when not {{ customer_value.is_blank('channel') }} then channel end as channel,
    store,
    status,
    order_status,
    refunded_at,
    updated_at
from kept
