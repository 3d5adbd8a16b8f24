{#- A query that judges orders as they are given or as their lines make them: the day and the rate of
    each, the first reason for which it is no order, and whether it gives money back. It is a macro
    for the sake of versions of one order: looked for first, few rows have to be judged twice.

    rows: a relation with the columns of int_customer_value__orders_gathered. -#}
{% macro orders_checked(rows) -%}
{%- set methods = (var('missing_values') or {}).get('orders') or {} %}
{%- set reporting_currency = var('reporting_currency') %}

with orders as (

    select
        *,
        -- What gives money back is no order, whatever the shop writes it down as.
        coalesce(gross_amount < 0 or not {{ customer_value.is_blank('refunded_order_id') }}, false) as is_refund,
        upper(trim(currency)) as currency_code,
        case
            when {{ customer_value.is_plausible_time('ordered_at') }}
                then {{ customer_value.reporting_date('ordered_at') }}
        end as order_date
    from {{ rows }}

),

order_statuses as (

    select * from {{ ref('order_statuses') }}

),

customers_left_out as (

    select * from {{ ref('int_customer_value__customers_left_out') }}

),

exchange_rates as (

    select * from {{ ref('int_customer_value__exchange_rates_daily') }}

),

looked_up as (

    select
        orders.*,
        order_statuses.order_status,
        customers_left_out.reason as left_out_reason,
        {% if reporting_currency -%}
            case
                when orders.currency_code = '{{ reporting_currency }}' then cast(1 as decimal(20, 10))
                else exchange_rates.exchange_rate
            end as exchange_rate
        {%- else -%}
            cast(null as decimal(20, 10)) as exchange_rate
        {%- endif %}
    from orders
    left join order_statuses on lower(trim(orders.status)) = order_statuses.status
    left join customers_left_out on orders.customer_id = customers_left_out.customer_id
    left join exchange_rates
        on
            orders.currency_code = exchange_rates.currency
            and orders.order_date = exchange_rates.order_date

)

select
    *,
    -- The first reason that applies; a row with none is usable by itself, and only a second
    -- version of the same order can still push it out.
    case
        when left_out_reason = 'erased_customer' then 'erased_customer'
        when order_id is null or {{ customer_value.is_blank('order_id') }} then 'missing_order_id'
        when {{ customer_value.is_too_long('order_id') }} then 'order_id_too_long'
        when customer_id is null or {{ customer_value.is_blank('customer_id') }} then 'missing_customer_id'
        when {{ customer_value.is_too_long('customer_id') }} then 'customer_id_too_long'
        when {{ customer_value.is_unreadable('ordered_at', 'raw_ordered_at') }} then 'unparseable_ordered_at'
        when ordered_at is null then 'missing_ordered_at'
        when not {{ customer_value.is_plausible_time('ordered_at') }} then 'implausible_ordered_at'
        when {{ customer_value.is_unreadable('gross_amount', 'raw_amount') }}
            then {{ customer_value.amount_reject_reason('raw_amount') }}
        {% if methods.get('amount', 'reject') in ['keep', 'reject'] -%}
            when gross_amount is null then 'missing_amount'
        {% endif -%}
        when {{ customer_value.is_out_of_range(['gross_amount', 'discount_amount', 'refund_amount', 'cost_amount']) }} then 'amount_out_of_range'
        {% for name in ['discount_amount', 'refund_amount', 'cost_amount', 'refunded_at', 'updated_at'] -%}
            when {{ customer_value.is_unreadable(name, 'raw_' ~ name) }} then 'unparseable_{{ name }}'
        {% endfor -%}
        {% for name, method in methods.items() if method == 'reject' and name != 'amount' -%}
            when {{ name }} is null then 'missing_{{ name }}'
        {% endfor -%}
        when ordered_at >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
        {% if reporting_currency -%}
            when currency_code is null or {{ customer_value.is_blank('currency_code') }} then 'missing_currency'
            -- What gives money back is converted at the rate of the order that it gives it back of.
            when exchange_rate is null and not is_refund then 'missing_exchange_rate'
            when greatest(abs(gross_amount), abs(discount_amount), abs(refund_amount), abs(cost_amount)) * cast(exchange_rate as double) >= 1e13
                then 'amount_out_of_range'
        {% endif %}
    end as reject_reason,
    -- What is no order although it can be read. It is asked of the latest version alone: one that
    -- was cancelled in the end must not live on in an earlier version.
    case
        when order_status = 'cancelled' then 'cancelled_order'
        when order_status = 'test' then 'test_order'
        when left_out_reason is not null then left_out_reason
    end as exclusion_reason
from looked_up
{%- endmacro %}
