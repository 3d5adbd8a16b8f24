{%- set double = customer_value.type_double() -%}
{#- A habit is the middle of the last fifteen orders; of fewer than three it is not known. -#}
{%- set habit_orders = 15 -%}
{%- set fewest_orders = 3 -%}
{#- Rarer than so among this shop's own orders, on either side. -#}
{%- set unusual_share = 0.0004 -%}

with orders as not materialized (

    select
        customer_id,
        order_number,
        ln(cast(gross_amount as {{ double }})) as log_amount
    from {{ ref('orders_cleaned') }}
    where gross_amount > 0

),

shop as (

    {{ customer_value.quantiles_by_count('orders', 'log_amount', {'shop_middle': 500}) }}

),

-- Known when the order came in: what the same customer had ordered before.
habits as (

    select
        *,
        row_number() over (partition by customer_id order by order_number) - 1 as earlier_order_count,
        {{ customer_value.median_of_previous('log_amount', 'customer_id', 'order_number', habit_orders) }} as own_middle
    from orders

),

-- Without a habit, what is ordinary in the shop. A wholesaler is compared with it no longer than that.
expected as (

    select
        habits.customer_id,
        habits.order_number,
        habits.log_amount,
        habits.earlier_order_count >= {{ fewest_orders }} as has_habit,
        least(habits.earlier_order_count, {{ habit_orders }}) as habit_order_count,
        least(greatest(habits.earlier_order_count - {{ fewest_orders }}, 0), {{ habit_orders }}) as error_count,
        case
            when habits.earlier_order_count >= {{ fewest_orders }}
                then
                    (least(habits.earlier_order_count, {{ habit_orders }}) * habits.own_middle + shop.shop_middle)
                    / (least(habits.earlier_order_count, {{ habit_orders }}) + 1)
            else shop.shop_middle
        end as expected_log_amount
    from habits
    cross join shop

),

-- How far off a customer's orders have been from what was expected of them: some are steady, some not.
errors as (

    select
        *,
        log_amount - expected_log_amount as log_error,
        {{ customer_value.median_of_previous(
            'case when has_habit then abs(log_amount - expected_log_amount) end', 'customer_id', 'order_number', habit_orders
        ) }} as own_spread
    from expected

),

absolute_errors as (

    select
        has_habit,
        round(abs(log_error), 4) as absolute_error
    from errors

),

spreads as (

    {{ customer_value.quantiles_by_count('absolute_errors', 'absolute_error', {'shop_spread': 500}, ['has_habit']) }}

),

-- In standard deviations, were they normal, of a spread of a tenth at least; the fewer orders tell a
-- habit, the less it is known (a median's variance is 1.57 times that of a mean).
standardised as not materialized (

    select
        errors.*,
        errors.log_error / (
            1.4826 * greatest(
                (errors.error_count * coalesce(errors.own_spread, 0) + 20 * spreads.shop_spread) / (errors.error_count + 20),
                ln(1.1)
            )
            * case when errors.has_habit then sqrt(1 + 1.57 / errors.habit_order_count) else 1 end
        ) as deviation
    from errors
    inner join spreads on errors.has_habit = spreads.has_habit

),

deviations as (

    select
        has_habit,
        round(deviation, 4) as deviation
    from standardised

),

-- How far out the last fiftieth and the last two-hundredth of the shop's own orders begin.
quantiles as (

    {{ customer_value.quantiles_by_count(
        'deviations', 'deviation', {'lowest': 5, 'low': 20, 'high': 980, 'highest': 995}, ['has_habit']
    ) }}

),

-- Beyond them the tail is taken to go on by the same factor for each step: that is heavier than a
-- normal one, and as heavy as Pareto's of the amounts themselves. It is never taken to be lighter than
-- the normal one is there. Frauds fewer than one order in two hundred are in neither quantile.
tails as (

    select
        has_habit,
        greatest(-low, 2.054) as low_start,
        greatest((low - lowest) / ln(4), 0.377) as low_scale,
        greatest(high, 2.054) as high_start,
        greatest((highest - high) / ln(4), 0.377) as high_scale
    from quantiles
    -- Of fewer, a two-hundredth says nothing.
    where row_count >= 200

),

judged as (

    select
        standardised.*,
        case
            when standardised.deviation > 0
                then 0.02 * exp(-(standardised.deviation - tails.high_start) / tails.high_scale)
            else 0.02 * exp(-(-standardised.deviation - tails.low_start) / tails.low_scale)
        end as tail_probability
    from standardised
    inner join tails on standardised.has_habit = tails.has_habit

)

-- What is less than three times as much, or more than a third, is no matter however regular the shop is.
select
    orders_cleaned.order_id,
    orders_cleaned.customer_id,
    orders_cleaned.order_date,
    case when judged.has_habit then 'amount_for_customer' else 'amount_for_shop' end as anomaly_kind,
    cast(orders_cleaned.gross_amount as {{ double }}) as observed_figure,
    exp(judged.expected_log_amount) as expected_figure,
    exp(abs(judged.log_error)) as times_as_far,
    judged.log_error > 0 as is_above,
    judged.habit_order_count,
    judged.tail_probability
from judged
inner join {{ ref('orders_cleaned') }} as orders_cleaned
    on judged.customer_id = orders_cleaned.customer_id and judged.order_number = orders_cleaned.order_number
where judged.tail_probability <= {{ unusual_share }} and abs(judged.log_error) >= ln(3)
