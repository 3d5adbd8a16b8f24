{%- set double = customer_value.type_double() -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- Today, and a churn window ago: what was known then is compared with what has followed.
dates as (

    select
        as_of_date,
        true as is_current
    from run

    union all

    select
        cast({{ customer_value.dateadd('day', -var('churn_window_days'), 'as_of_date') }} as date) as as_of_date,
        false as is_current
    from run

),

orders as (

    select
        dates.as_of_date,
        dates.is_current,
        orders.customer_id,
        count(*) as order_count,
        max(orders.order_date) as last_order_date
    from {{ ref('orders_cleaned') }} as orders
    inner join dates on orders.order_date < dates.as_of_date
    group by dates.as_of_date, dates.is_current, orders.customer_id

),

refunds as (

    select
        dates.as_of_date,
        order_refunds.customer_id,
        count(distinct order_refunds.order_id) as refunded_count
    from {{ ref('order_refunds') }} as order_refunds
    inner join dates on order_refunds.refund_date < dates.as_of_date
    where order_refunds.refund_amount > 0
    group by dates.as_of_date, order_refunds.customer_id

),

reviews as (

    select
        dates.as_of_date,
        reviews.customer_id,
        reviews.rating,
        {{ customer_value.reporting_date('reviews.reviewed_at') }}
        >= cast({{ customer_value.dateadd('day', -var('churn_window_days'), 'dates.as_of_date') }} as date) as is_recent
    from {{ ref('int_customer_value__reviews_checked') }} as reviews
    inner join dates on {{ customer_value.reporting_date('reviews.reviewed_at') }} < dates.as_of_date
    where reviews.reject_reason is null

),

ratings as (

    select
        as_of_date,
        customer_id,
        count(*) as review_count,
        sum(rating) as rating_sum,
        sum(cast(rating as decimal(18, 4)) * cast(rating as decimal(18, 4))) as rating_square_sum,
        min(rating) as lowest_rating,
        max(rating) as highest_rating,
        count(*) filter (where is_recent) as recent_review_count,
        sum(rating) filter (where is_recent) as recent_rating_sum
    from reviews
    group by as_of_date, customer_id

),

customers as (

    select
        orders.as_of_date,
        orders.is_current,
        orders.customer_id,
        orders.order_count,
        orders.last_order_date,
        coalesce(refunds.refunded_count, 0) as refunded_count,
        coalesce(ratings.review_count, 0) as review_count,
        ratings.rating_sum,
        coalesce(ratings.recent_review_count, 0) as recent_review_count,
        ratings.recent_rating_sum
    from orders
    left join refunds on orders.as_of_date = refunds.as_of_date and orders.customer_id = refunds.customer_id
    left join ratings on orders.as_of_date = ratings.as_of_date and orders.customer_id = ratings.customer_id

),

-- Sums of squares of the ratings: of all, and of the customers' means.
rating_sums as (

    select
        as_of_date,
        count(*) as reviewer_count,
        cast(sum(review_count) as {{ double }}) as review_count,
        cast(sum(review_count * review_count) as {{ double }}) as review_count_square_sum,
        cast(sum(rating_sum) as {{ double }}) as rating_sum,
        cast(sum(rating_square_sum) as {{ double }}) as rating_square_sum,
        cast(sum(cast(cast(rating_sum as {{ double }}) * cast(rating_sum as {{ double }}) / review_count as decimal(38, 9))) as {{ double }})
            as mean_square_sum,
        min(lowest_rating) as lowest_rating,
        max(highest_rating) as highest_rating
    from ratings
    group by as_of_date

),

rating_variances as (

    select
        *,
        (rating_square_sum - mean_square_sum) / nullif(review_count - reviewer_count, 0) as within_variance,
        review_count - review_count_square_sum / review_count as scale
    from rating_sums

),

-- How many reviews of a customer weigh as much as the shop's mean: the variance of one customer's
-- ratings over that between customers (one-way analysis of variance). Two where nobody wrote several.
shop_ratings as (

    select
        as_of_date,
        rating_sum / review_count as mean_rating,
        lowest_rating,
        highest_rating,
        case
            when within_variance is null then 2
            when mean_square_sum - rating_sum * rating_sum / review_count - (reviewer_count - 1) * within_variance <= 0 then 20
            else least(greatest(
                within_variance * scale
                / (mean_square_sum - rating_sum * rating_sum / review_count - (reviewer_count - 1) * within_variance),
                0.5
            ), 20)
        end as prior_reviews
    from rating_variances

),

refund_pairs as (

    select
        as_of_date,
        cast(sum(refunded_count) as {{ double }}) / sum(order_count) as refund_rate,
        cast(sum(refunded_count * (refunded_count - 1)) as {{ double }}) / nullif(sum(order_count * (order_count - 1)), 0) as both_rate
    from customers
    group by as_of_date

),

-- The same of refunds: by how much oftener than the rate alone would have it two orders of one
-- customer are both refunded.
shop_refunds as (

    select
        as_of_date,
        refund_rate,
        1 / least(greatest(
            coalesce((both_rate - refund_rate * refund_rate) / nullif(refund_rate * (1 - refund_rate), 0), 0.02), 0.02
        ), 0.5) - 1 as prior_orders
    from refund_pairs

),

shrunken as (

    select
        customers.as_of_date,
        customers.is_current,
        customers.customer_id,
        customers.order_count,
        customers.last_order_date,
        customers.refunded_count,
        customers.review_count,
        cast(customers.rating_sum as {{ double }}) / nullif(customers.review_count, 0) as mean_rating,
        case
            when customers.review_count > 0
                then
                    (cast(customers.rating_sum as {{ double }}) + shop_ratings.prior_reviews * shop_ratings.mean_rating)
                    / (customers.review_count + shop_ratings.prior_reviews)
        end as shrunken_rating,
        case
            when customers.recent_review_count > 0 and customers.recent_review_count < customers.review_count
                then
                    cast(customers.recent_rating_sum as {{ double }}) / customers.recent_review_count
                    - cast(customers.rating_sum - customers.recent_rating_sum as {{ double }})
                    / (customers.review_count - customers.recent_review_count)
        end as rating_trend,
        (customers.refunded_count + shop_refunds.prior_orders * shop_refunds.refund_rate)
        / (customers.order_count + shop_refunds.prior_orders) as shrunken_refund_rate,
        shop_ratings.mean_rating as shop_rating,
        cast(shop_ratings.lowest_rating as {{ double }}) as lowest_rating,
        cast(nullif(shop_ratings.highest_rating - shop_ratings.lowest_rating, 0) as {{ double }}) as rating_range,
        shop_refunds.refund_rate as shop_refund_rate
    from customers
    inner join shop_refunds on customers.as_of_date = shop_refunds.as_of_date
    left join shop_ratings on customers.as_of_date = shop_ratings.as_of_date

),

-- On the scale that the shop's ratings use, 0 to 1, and beside the shop's mean.
positioned as (

    select
        *,
        case when review_count > 0 then coalesce((shrunken_rating - lowest_rating) / rating_range, 0.5) end as rating_position,
        case when review_count > 0 then coalesce((shrunken_rating - shop_rating) / rating_range, 0) end as rating_offset,
        shrunken_refund_rate / nullif(shop_refund_rate, 0) as refund_ratio
    from shrunken

),

-- The first rule that holds; a bound that is not given holds for everybody.
ruled as (

    select
        positioned.as_of_date,
        positioned.customer_id,
        min(rules.rule_number) as rule_number
    from positioned
    inner join {{ ref('satisfaction_levels') }} as rules
        on
            (rules.rating_position_from is null or positioned.rating_position >= rules.rating_position_from)
            and (rules.rating_position_to is null or positioned.rating_position < rules.rating_position_to)
            and (rules.rating_offset_from is null or positioned.rating_offset >= rules.rating_offset_from)
            and (rules.rating_offset_to is null or positioned.rating_offset < rules.rating_offset_to)
            and (rules.refund_ratio_from is null or positioned.refund_ratio >= rules.refund_ratio_from)
    group by positioned.as_of_date, positioned.customer_id

)

select
    positioned.customer_id,
    positioned.as_of_date,
    positioned.is_current,
    rules.satisfaction_level,
    rules.reason_text,
    positioned.order_count,
    positioned.last_order_date,
    positioned.review_count,
    positioned.mean_rating,
    positioned.shrunken_rating,
    positioned.rating_trend,
    positioned.rating_range,
    positioned.shop_rating,
    positioned.refunded_count,
    positioned.shrunken_refund_rate,
    positioned.shop_refund_rate
from positioned
left join ruled on positioned.as_of_date = ruled.as_of_date and positioned.customer_id = ruled.customer_id
left join {{ ref('satisfaction_levels') }} as rules on ruled.rule_number = rules.rule_number
