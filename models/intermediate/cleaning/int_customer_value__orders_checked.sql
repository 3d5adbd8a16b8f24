{{ config(materialized='view') }}

{{ customer_value.orders_checked(ref('int_customer_value__orders_gathered')) }}
