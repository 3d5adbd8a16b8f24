-- Margin multiples of Gupta and Lehmann, "Customers as Assets" (2003), table of retention by discount,
-- and the first case of Berger and Nasr, "Customer Lifetime Value: Marketing Models and Applications"
-- (1998): 260 a year at once and for ten years more, 50 of promotion in the middle of each year, three
-- quarters retained, 20%.
with published as (

    select
        multiples.retention_rate,
        multiples.discount_rate,
        multiples.margin_multiple
    from (
        values
        (0.6, 0.10, 1.20), (0.6, 0.12, 1.15), (0.6, 0.14, 1.11), (0.6, 0.16, 1.07),
        (0.7, 0.10, 1.75), (0.7, 0.12, 1.67), (0.7, 0.14, 1.59), (0.7, 0.16, 1.52),
        (0.8, 0.10, 2.67), (0.8, 0.12, 2.50), (0.8, 0.14, 2.35), (0.8, 0.16, 2.22),
        (0.9, 0.10, 4.50), (0.9, 0.12, 4.09), (0.9, 0.14, 3.75), (0.9, 0.16, 3.46)
    ) as multiples (retention_rate, discount_rate, margin_multiple)

),

compared as (

    select
        margin_multiple as published_value,
        {{ customer_value.aggregate_clv(1, 'retention_rate', 0, 'discount_rate') }} as computed_value
    from published

    union all

    select
        568.78 as published_value,
        260 + {{ customer_value.aggregate_clv(260, 0.75, 0, 0.2, 10) }}
        - {{ customer_value.aggregate_clv(50, 0.75, 0, 0.2, 10) }} * sqrt(1.2) / 0.75 as computed_value

)

select
    published_value,
    computed_value
from compared
where computed_value is null or abs(computed_value - published_value) > 0.005001
