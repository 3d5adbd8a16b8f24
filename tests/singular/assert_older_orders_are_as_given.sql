-- Where lookback_days leaves older orders uncompared, that they are still what the inputs say: by
-- month, their number and a sum over all that they say. Else one sentence names the months.
with orders as (

    select * from {{ ref('int_customer_value__orders_completed') }}

),

held_orders as (

    select * from {{ ref('orders_cleaned') }}

),

{%- set fingerprint = customer_value.row_fingerprint(customer_value.own_columns_of_orders()) %}

counted as (

    {% for relation, sign in [('orders', 1), ('held_orders', -1)] -%}
        select
            cast(date_trunc('month', order_date) as date) as order_month,
            {{ sign }} * count(*) as order_count,
            {{ sign }} * sum(cast({{ fingerprint }} as decimal(38, 0))) as fingerprint
        from {{ relation }}
        -- Without the var every refresh compares all of them, and there is nothing to look for.
        where {{ 'true' if var('lookback_days') is not none else 'false' }}
        group by cast(date_trunc('month', order_date) as date)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

months as (

    select order_month
    from counted
    group by order_month
    having sum(order_count) <> 0 or sum(fingerprint) <> 0

),

named as (

    select
        count(*) as month_count,
        string_agg(substring(cast(order_month as {{ dbt.type_string() }}), 1, 7), ', ' order by order_month) as month_names
    from months

)

select
    month_count,
    month_names
from named
where
    month_count > 0
    and {{ customer_value.stop_with_text(
        "'orders_cleaned no longer holds what the inputs say of orders of ' || month_names || ': they changed longer ago than lookback_days ("
        ~ var('lookback_days') ~ ") lets a refresh look back. Run dbt build --full-refresh, or look back further.'"
    ) }}
