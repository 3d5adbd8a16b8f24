{%- set double = customer_value.type_double() -%}
{%- set fewest_refunds = 3 -%}
{#- Of a shop in which nobody abuses refunds, the chance that anybody at all is named. -#}
{%- set chance_of_any = 0.05 -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

refunds as (

    select
        order_refunds.order_id,
        sum(order_refunds.refund_amount) as refund_amount
    from {{ ref('order_refunds') }} as order_refunds
    inner join run on order_refunds.refund_date < run.as_of_date
    group by order_refunds.order_id

),

-- An order counts as refunded if half of what was paid came back: an article of many is no abuse.
orders as (

    select
        orders.order_id,
        orders.customer_id,
        orders.order_date,
        orders.order_number,
        coalesce(refunds.refund_amount > 0 and 2 * refunds.refund_amount >= orders.gross_amount - orders.discount_amount, false) as is_refunded
    from {{ ref('orders_cleaned') }} as orders
    left join refunds on orders.order_id = refunds.order_id

),

customers as (

    select
        customer_id,
        count(*) as order_count,
        count(*) filter (where is_refunded) as refunded_count,
        max(order_number) filter (where is_refunded) as last_refunded_number
    from orders
    group by customer_id
    having count(*) >= {{ fewest_refunds }}

),

shop as (

    select
        count(*) as customer_count,
        (sum(refunded_count) + 0.5) / cast(sum(order_count) + 1 as {{ double }}) as refund_rate
    from customers
    -- Of fewer orders no rate can be told.
    having sum(order_count) >= 200

),

-- Who is beyond all chance of one rate for everybody, by Chernoff's bound of the binomial.
beyond_one_rate as (

    select customers.customer_id
    from customers
    cross join shop
    where
        customers.refunded_count >= {{ fewest_refunds }}
        and customers.refunded_count > shop.refund_rate * customers.order_count
        and customers.refunded_count * ln(customers.refunded_count / (shop.refund_rate * customers.order_count))
        + case
            when customers.refunded_count < customers.order_count
                then
                    (customers.order_count - customers.refunded_count)
                    * ln((customers.order_count - customers.refunded_count) / ((1 - shop.refund_rate) * customers.order_count))
            else 0
        end >= ln(shop.customer_count / {{ chance_of_any }})

),

numbers as (

    {{ customer_value.integers(0, 'select max(order_count) from customers where refunded_count >= ' ~ fewest_refunds, 'number') }}

)

{#- Who abuses refunds must not tell how the others differ, and who only differs must be among these: so
    the rates are told without whoever is beyond one rate for all, and again without whoever is beyond
    those rates. -#}
{%- for round, left_out in [('first', 'beyond_one_rate'), ('last', 'beyond_first_rates')] %},

-- Customers differ without any abuse: who orders clothes in two sizes returns one. How much they do is
-- told by pairs of orders of one customer, both refunded more often than the rate alone would have it.
-- Customers weigh by their orders: by pairs, a few with many would decide it.
{{ round }}_pairs as (

    select
        (sum(customers.refunded_count) + 0.5) / cast(sum(customers.order_count) + 1 as {{ double }}) as refund_rate,
        cast(sum(cast(
            cast(customers.refunded_count * (customers.refunded_count - 1) as {{ double }}) / (customers.order_count - 1)
            as decimal(38, 12)
        )) as {{ double }}) / sum(customers.order_count) as both_rate
    from customers
    left join {{ left_out }} as left_out on customers.customer_id = left_out.customer_id
    where left_out.customer_id is null

),

{{ round }}_correlation as (

    select
        refund_rate,
        least(greatest((both_rate - refund_rate * refund_rate) / (refund_rate * (1 - refund_rate)), 0.001), 0.5) as correlation
    from {{ round }}_pairs

),

-- The beta distribution of the customers' own rates.
{{ round }}_rates as (

    select
        shop.customer_count,
        correlations.refund_rate,
        correlations.refund_rate * (1 / correlations.correlation - 1) as refunded_shape,
        (1 - correlations.refund_rate) * (1 / correlations.correlation - 1) as kept_shape
    from {{ round }}_correlation as correlations
    cross join shop

),

-- Logarithms of rising factorials, exact sums: all that a beta-binomial probability is made of.
{{ round }}_factorials as (

    select
        numbers.number,
        {% for name, shape in [
            ('orders', '1'), ('refunded', 'rates.refunded_shape'), ('kept', 'rates.kept_shape'),
            ('together', '(rates.refunded_shape + rates.kept_shape)'),
        ] -%}
            cast(
                sum(cast(ln(numbers.number + {{ shape }}) as decimal(38, 15))) over (order by numbers.number)
                - cast(ln(numbers.number + {{ shape }}) as decimal(38, 15))
                as {{ double }}
            ) as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from numbers
    cross join {{ round }}_rates as rates

),

-- The chance of fewer refunds than there were.
{{ round }}_chances as (

    select
        customers.customer_id,
        sum(cast(exp(
            of_all.orders - of_refunded.orders - of_kept.orders
            + of_refunded.refunded + of_kept.kept - of_all.together
        ) as decimal(38, 18))) as probability
    from customers
    inner join {{ round }}_rates as rates on customers.refunded_count > rates.refund_rate * customers.order_count
    inner join {{ round }}_factorials as of_all on customers.order_count = of_all.number
    inner join {{ round }}_factorials as of_refunded on customers.refunded_count > of_refunded.number
    inner join {{ round }}_factorials as of_kept on customers.order_count - of_refunded.number = of_kept.number
    where customers.refunded_count >= {{ fewest_refunds }}
    group by customers.customer_id

),

-- Corrected for how many customers are looked at (Bonferroni).
beyond_{{ round }}_rates as (

    select
        customers.*,
        rates.refund_rate,
        rates.customer_count,
        greatest(1 - cast(chances.probability as {{ double }}), 0) as tail_probability
    from customers
    inner join {{ round }}_chances as chances on customers.customer_id = chances.customer_id
    cross join {{ round }}_rates as rates
    where (1 - cast(chances.probability as {{ double }})) * rates.customer_count <= {{ chance_of_any }}

)
{%- endfor %}

-- It stands at the latest order that was refunded.
select
    orders.order_id,
    beyond_last_rates.customer_id,
    orders.order_date,
    'refunds' as anomaly_kind,
    cast(beyond_last_rates.refunded_count as {{ double }}) / beyond_last_rates.order_count as observed_figure,
    beyond_last_rates.refund_rate as expected_figure,
    beyond_last_rates.refunded_count,
    beyond_last_rates.order_count,
    beyond_last_rates.customer_count as judged_customer_count,
    beyond_last_rates.tail_probability
from beyond_last_rates
inner join orders
    on
        beyond_last_rates.customer_id = orders.customer_id
        and beyond_last_rates.last_refunded_number = orders.order_number
