-- Every row of the input is a clean order or a rejected row, and every cent that could be read
-- is in one of the two.
with input_rows as (

    select
        count(*) as row_count,
        coalesce(sum(gross_amount), 0) as gross_amount
    from {{ ref('int_customer_value__orders_gathered') }}

),

output_rows as (

    select
        count(*) as row_count,
        coalesce(sum(gross_amount), 0) as gross_amount
    from (
        select gross_amount from {{ ref('orders_cleaned') }}
        union all
        select gross_amount from {{ ref('orders_rejected') }}
    ) as either_table

)

select
    input_rows.row_count as input_row_count,
    output_rows.row_count as output_row_count,
    input_rows.gross_amount as input_gross_amount,
    output_rows.gross_amount as output_gross_amount
from input_rows
cross join output_rows
where
    input_rows.row_count <> output_rows.row_count
    or input_rows.gross_amount <> output_rows.gross_amount
