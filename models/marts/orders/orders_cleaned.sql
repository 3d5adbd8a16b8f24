{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='order_id',
        on_schema_change='append_new_columns',
        post_hook="{% if is_incremental() %}delete from {{ this }} where order_number = 0{% endif %}"
    )
}}

{#- What there is now is compared with what the table holds, never with what was seen when: so every
    cause of a change counts, a var that was changed too. See docs/incremental.md. -#}
{%- set own_columns = customer_value.own_columns_of_orders() %}
{%- set fingerprint = customer_value.row_fingerprint(own_columns) %}
{#- A sort of all orders takes as long as its rows are wide. -#}
{%- set empty_columns = customer_value.columns_no_order_has() %}
{%- set carried_columns = own_columns | reject('in', empty_columns) | list %}
{%- set told = {} %}
{%- for name in own_columns %}
    {%- do told.update({name: ('cast(null as ' ~ empty_columns[name] ~ ') as ' if name in empty_columns else '') ~ name}) %}
{%- endfor %}

-- Read only where lookback_days limits what is compared.
-- depends_on: {{ ref('int_customer_value__refunds_checked') }}
-- depends_on: {{ ref('int_customer_value__identities_merged') }}
-- depends_on: {{ ref('int_customer_value__customers_left_out') }}
with orders as (

    select * from {{ ref('int_customer_value__orders_completed') }}

),

{%- if is_incremental() %}

{#- The table is named wherever it is read, and not once above: what several read is written down first. -#}
{%- if var('lookback_days') is none %}

-- Which days differ is told by a sum over each: a fraction of what a join of all orders costs.
days as (

    select
        order_date,
        count(*) as order_count,
        sum(cast({{ fingerprint }} as decimal(38, 0))) as fingerprint
    from orders
    group by order_date

),

held_days as (

    select
        order_date,
        count(*) as order_count,
        sum(cast({{ fingerprint }} as decimal(38, 0))) as fingerprint
    from {{ this }} as held_orders
    group by order_date

),

compared_days as (

    select coalesce(days.order_date, held_days.order_date) as order_date
    from days
    full outer join held_days on days.order_date = held_days.order_date
    where
        coalesce(days.order_count, 0) <> coalesce(held_days.order_count, 0)
        or coalesce(days.fingerprint, 0) <> coalesce(held_days.fingerprint, 0)

),
{%- else %}

lookback as (

    select cast({{ customer_value.dateadd('day', -(var('lookback_days') | int), 'max(order_date)') }} as date) as first_date
    from {{ this }} as held_orders

),

customers_changed as (

    select customer_id from {{ ref('int_customer_value__identities_merged') }}
    where customer_id <> canonical_customer_id

    union all

    select customer_id from {{ ref('int_customer_value__customers_left_out') }}

),

-- The latest days, and older ones on which something is told to have happened to an order since:
-- an update, a refund, or to its customer.
compared_days as (

    select distinct orders.order_date
    from orders
    cross join lookback
    where
        orders.order_date >= lookback.first_date
        or orders.updated_at >= lookback.first_date
        or orders.refunded_at >= lookback.first_date

    union distinct

    select held_orders.order_date
    from {{ this }} as held_orders
    cross join lookback
    where held_orders.order_date >= lookback.first_date or held_orders.ordered_at >= {{ customer_value.as_of_date_limit() }}

    union distinct

    select held_orders.order_date
    from {{ this }} as held_orders
    inner join {{ ref('int_customer_value__refunds_checked') }} as refunds on held_orders.order_id = refunds.order_id
    cross join lookback
    where refunds.refunded_at >= lookback.first_date

    union distinct

    select held_orders.order_date
    from {{ this }} as held_orders
    inner join customers_changed on held_orders.customer_id = customers_changed.customer_id

),
{%- endif %}

compared_orders as (

    select
        *,
        {{ fingerprint }} as fingerprint
    from orders
    where order_date in (select compared_days.order_date from compared_days)

),

compared_held_orders as (

    select
        order_id,
        {{ fingerprint }} as fingerprint
    from {{ this }} as held_orders
    where order_date in (select compared_days.order_date from compared_days)

),

changed_orders as (

    select compared_orders.*
    from compared_orders
    left join compared_held_orders on compared_orders.fingerprint = compared_held_orders.fingerprint
    where compared_held_orders.fingerprint is null

),

-- Ids of rows that no longer stand as they are: the order is another now, or is none.
left_ids as (

    select compared_held_orders.order_id
    from compared_held_orders
    left join compared_orders on compared_held_orders.fingerprint = compared_orders.fingerprint
    where compared_orders.fingerprint is null

    union distinct

    select order_id from changed_orders

),

left_orders as (

    select held_orders.*
    from {{ this }} as held_orders
    inner join left_ids on held_orders.order_id = left_ids.order_id

),

-- From a customer's first change on, orders are numbered anew; what is before it stays.
changes as (

    select
        customer_id,
        min(ordered_at) as first_changed_at
    from (
        select
            customer_id,
            ordered_at
        from changed_orders
        union all
        select
            customer_id,
            ordered_at
        from left_orders
    ) as changed_or_left
    group by customer_id

),

earlier as (

    select
        held_orders.customer_id,
        max(held_orders.order_number) as order_count,
        max(held_orders.order_date) as last_order_date,
        min(held_orders.order_date) as first_order_date
    from {{ this }} as held_orders
    inner join changes on held_orders.customer_id = changes.customer_id
    where held_orders.ordered_at < changes.first_changed_at
    group by held_orders.customer_id

),

orders_to_number as (

    select
        {{ carried_columns | join(',\n        ') }}
    from changed_orders

    union all

    select
        held_orders.{{ carried_columns | join(',\n        held_orders.') }}
    from {{ this }} as held_orders
    inner join changes on held_orders.customer_id = changes.customer_id
    left join left_ids on held_orders.order_id = left_ids.order_id
    where held_orders.ordered_at >= changes.first_changed_at and left_ids.order_id is null

),
{%- else %}

orders_to_number as (

    select
        {{ carried_columns | join(',\n        ') }}
    from orders

),
{%- endif %}

-- One sort of the orders serves every column that looks back. Ties in time end in the key.
sequenced as (

    select
        *,
        row_number() over customer_history as number_from_here,
        lag(order_date) over customer_history as previous_date_from_here,
        first_value(order_date) over customer_history as first_date_from_here
    from orders_to_number
    window customer_history as (partition by customer_id order by ordered_at, order_id)

),

numbered as (

    select
        sequenced.*,
        {% if is_incremental() -%}
            sequenced.number_from_here + coalesce(earlier.order_count, 0) as order_number,
            coalesce(sequenced.previous_date_from_here, earlier.last_order_date) as previous_order_date,
            coalesce(earlier.first_order_date, sequenced.first_date_from_here) as first_order_date
        from sequenced
        left join earlier on sequenced.customer_id = earlier.customer_id
        {%- else -%}
            sequenced.number_from_here as order_number,
            sequenced.previous_date_from_here as previous_order_date,
            sequenced.first_date_from_here as first_order_date
        from sequenced
        {%- endif %}

)

select
    order_id,
    customer_id,
    ordered_at,
    order_date,
    gross_amount,
    discount_amount,
    refund_amount,
    net_amount,
    margin_amount,
    {{ told.currency }},
    {{ told.original_currency }},
    {{ told.original_gross_amount }},
    {{ told.exchange_rate }},
    channel,
    {{ told.store }},
    {{ told.status }},
    {{ told.refunded_at }},
    {{ told.updated_at }},
    cast(order_number as {{ dbt.type_int() }}) as order_number,
    order_number = 1 as is_first_order,
    cast({{ customer_value.datediff('previous_order_date', 'order_date', 'day') }} as {{ dbt.type_int() }}) as days_since_previous_order,
    cast(date_trunc('month', first_order_date) as date) as cohort_month,
    is_outlier,
    is_imputed,
    {{ told.imputed_columns }}
from numbered
{%- if is_incremental() %}

union all

-- What is no order any more is written once again under the number 0: so the row that there is gets
-- deleted by its key, and the hook after it deletes this one, all in one transaction.
select
    left_orders.order_id,
    left_orders.customer_id,
    left_orders.ordered_at,
    left_orders.order_date,
    left_orders.gross_amount,
    left_orders.discount_amount,
    left_orders.refund_amount,
    left_orders.net_amount,
    left_orders.margin_amount,
    left_orders.currency,
    left_orders.original_currency,
    left_orders.original_gross_amount,
    left_orders.exchange_rate,
    left_orders.channel,
    left_orders.store,
    left_orders.status,
    left_orders.refunded_at,
    left_orders.updated_at,
    0 as order_number,
    left_orders.is_first_order,
    left_orders.days_since_previous_order,
    left_orders.cohort_month,
    left_orders.is_outlier,
    left_orders.is_imputed,
    left_orders.imputed_columns
from left_orders
left join changed_orders on left_orders.order_id = changed_orders.order_id
where changed_orders.order_id is null
{%- endif %}
