{%- set left_out_reason = 'exclusion_reason' %}
{%- if ((var('missing_values') or {}).get('orders') or {}).get('amount', 'reject') not in ['keep', 'reject'] %}
    {#- An amount was to be filled, but no order tells of any. -#}
    {%- set left_out_reason -%}
        coalesce(
            exclusion_reason,
            case
                when
                    gross_amount is null
                    and order_id not in (select orders_filled.order_id from orders_filled where orders_filled.gross_amount is not null)
                    then 'missing_amount'
            end
        )
    {%- endset %}
{%- endif -%}

with orders_checked as (

    select * from {{ ref('int_customer_value__orders_checked') }}

),

orders_repeated as (

    select * from {{ ref('int_customer_value__orders_repeated') }}

),

-- Read where amounts are to be filled.
orders_filled as ( -- noqa: ST03

    select * from {{ ref('int_customer_value__orders_filled') }}

),

refunds_checked as (

    select * from {{ ref('int_customer_value__refunds_checked') }}
    where input_name = 'orders' and reject_reason is not null

),

rejected as (

    {%- set keys = ['order_id', 'customer_id', 'raw_customer_id', 'refunded_order_id', 'gross_amount'] %}
    {%- set raws = [
        'raw_order_id', 'raw_ordered_at', 'raw_amount', 'raw_discount_amount', 'raw_refund_amount', 'raw_cost_amount',
        'raw_refunded_at', 'raw_updated_at',
    ] %}
    {%- set texts = ['status', 'currency', 'channel', 'store'] %}
    {%- set columns = (keys + raws + texts) | join(',\n        ') %}

    select
        reject_reason,
        {{ columns }}
    from orders_checked
    where reject_reason is not null

    union all

    select
        {{ left_out_reason }} as reject_reason,
        {{ columns }}
    from orders_checked
    where
        reject_reason is null
        and {{ left_out_reason }} is not null
        and not is_refund
        and {{ customer_value.hash_key('order_id') }} not in (
            select {{ customer_value.hash_key('order_id') }} from orders_repeated
        )

    union all

    select
        case when version_rank > 1 then 'duplicate_order_id' else {{ left_out_reason }} end as reject_reason,
        {{ columns }}
    from orders_repeated
    where version_rank > 1 or {{ left_out_reason }} is not null

),

-- Of a customer who is erased, that an order was there is all that stays, with its amount.
anonymised as (

    select
        reject_reason,
        gross_amount,
        currency,
        {% for name in keys + texts if name not in ['gross_amount', 'currency'] -%}
            case when reject_reason <> 'erased_customer' then {{ name }} end as {{ name }},
        {% endfor -%}
        {% for name in raws -%}
            case when reject_reason <> 'erased_customer' then cast({{ name }} as {{ dbt.type_string() }}) end as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from rejected

)

select
    order_id,
    customer_id,
    reject_reason,
    gross_amount,
    coalesce(raw_order_id, order_id) as raw_order_id,
    raw_customer_id,
    refunded_order_id as raw_refunded_order_id,
    {% for name in raws[1:] -%}
        {{ name }},
    {% endfor -%}
    {% for name in texts -%}
        {{ name }} as raw_{{ name }} {{- ',' if not loop.last }}
    {% endfor %}
from anonymised

union all

-- Rows that give money back, but of no order that can be told.
select
    claimed_order_id as order_id,
    claimed_customer_id as customer_id,
    reject_reason,
    claimed_amount as gross_amount,
    raw_order_id,
    claimed_customer_id as raw_customer_id,
    claimed_refunded_order_id as raw_refunded_order_id,
    raw_refunded_at as raw_ordered_at,
    raw_amount,
    {% for name in raws[3:] -%}
        cast(null as {{ dbt.type_string() }}) as {{ name }},
    {% endfor -%}
    cast(null as {{ dbt.type_string() }}) as raw_status,
    claimed_currency as raw_currency,
    cast(null as {{ dbt.type_string() }}) as raw_channel,
    cast(null as {{ dbt.type_string() }}) as raw_store
from refunds_checked
