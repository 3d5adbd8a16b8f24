-- Every row of the input is a clean order, a refund of one, or a rejected row; and every cent that
-- could be read is in one of the three, in its own currency.
with input_rows as (

    select
        upper(trim(currency)) as currency,
        gross_amount
    from {{ ref('int_customer_value__orders_gathered') }}

),

output_rows as (

    select
        upper(trim(coalesce(original_currency, currency))) as currency,
        case
            when ',' || imputed_columns || ',' like '%,amount,%' then null
            else coalesce(original_gross_amount, gross_amount)
        end as gross_amount
    from {{ ref('orders_cleaned') }}

    union all

    select
        claimed_currency as currency,
        claimed_amount as gross_amount
    from {{ ref('int_customer_value__refunds_checked') }}
    where input_name = 'orders' and reject_reason is null

    union all

    select
        upper(trim(raw_currency)) as currency,
        gross_amount
    from {{ ref('orders_rejected') }}

),

compared as (

    select
        currency,
        1 as row_count,
        coalesce(gross_amount, 0) as gross_amount
    from input_rows

    union all

    select
        currency,
        -1 as row_count,
        -coalesce(gross_amount, 0) as gross_amount
    from output_rows

)

select
    currency,
    sum(row_count) as missing_row_count,
    sum(gross_amount) as missing_gross_amount
from compared
group by currency
having sum(row_count) <> 0 or sum(gross_amount) <> 0
