with orders_checked as (

    select * from {{ ref('int_customer_value__orders_checked') }}

),

orders_repeated as (

    select * from {{ ref('int_customer_value__orders_repeated') }}

),

rejected as (

    {%- set columns %}
        order_id,
        customer_id,
        raw_customer_id,
        gross_amount,
        raw_ordered_at,
        raw_amount,
        raw_discount_amount,
        raw_refund_amount,
        raw_cost_amount,
        raw_updated_at,
        status,
        currency,
        channel,
        store
    {%- endset %}

    select
        reject_reason,
        {{ columns }}
    from orders_checked
    where reject_reason is not null

    union all

    select
        exclusion_reason as reject_reason,
        {{ columns }}
    from orders_checked
    where
        reject_reason is null
        and exclusion_reason is not null
        and {{ customer_value.hash_key('order_id') }} not in (
            select {{ customer_value.hash_key('order_id') }} from orders_repeated
        )

    union all

    select
        case when version_rank > 1 then 'duplicate_order_id' else exclusion_reason end as reject_reason,
        {{ columns }}
    from orders_repeated
    where version_rank > 1 or exclusion_reason is not null

)

select
    order_id,
    customer_id,
    reject_reason,
    gross_amount,
    order_id as raw_order_id,
    raw_customer_id,
    cast(raw_ordered_at as {{ dbt.type_string() }}) as raw_ordered_at,
    cast(raw_amount as {{ dbt.type_string() }}) as raw_amount,
    cast(raw_discount_amount as {{ dbt.type_string() }}) as raw_discount_amount,
    cast(raw_refund_amount as {{ dbt.type_string() }}) as raw_refund_amount,
    cast(raw_cost_amount as {{ dbt.type_string() }}) as raw_cost_amount,
    status as raw_status,
    currency as raw_currency,
    channel as raw_channel,
    store as raw_store,
    cast(raw_updated_at as {{ dbt.type_string() }}) as raw_updated_at
from rejected
