-- Every line of the input is clean or rejected, and every cent of it is sold, taken back or in a
-- rejected line.
with input_lines as (

    select
        count(*) as line_count,
        coalesce(sum(coalesce(given_amount, {{ customer_value.line_amount('quantity', 'unit_price') }})), 0) as line_amount
    from {{ ref('stg_customer_value__order_lines') }}

),

output_lines as (

    select
        count(*) as line_count,
        coalesce(sum(line_amount), 0) as line_amount
    from (
        select gross_amount - refund_amount as line_amount from {{ ref('order_lines_cleaned') }}
        union all
        select line_amount from {{ ref('order_lines_rejected') }}
    ) as either_table

)

select
    input_lines.line_count as input_line_count,
    output_lines.line_count as output_line_count,
    input_lines.line_amount as input_line_amount,
    output_lines.line_amount as output_line_amount
from input_lines
cross join output_lines
where
    input_lines.line_count <> output_lines.line_count
    or input_lines.line_amount <> output_lines.line_amount
