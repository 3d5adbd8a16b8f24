{%- set double = customer_value.type_double() -%}

with feature_dates as (

    select * from {{ ref('int_customer_value__feature_dates') }}

),

training_points as (

    select * from {{ ref('int_customer_value__training_points') }}

),

-- What was paid back of an order on or after a date was not known on it.
later_refunds as (

    select
        order_refunds.order_id,
        feature_dates.as_of_date,
        feature_dates.is_current,
        sum(order_refunds.refund_amount) as refund_amount
    from {{ ref('order_refunds') }} as order_refunds
    inner join feature_dates
        on
            order_refunds.order_date < feature_dates.as_of_date
            and order_refunds.refund_date >= feature_dates.as_of_date
    group by order_refunds.order_id, feature_dates.as_of_date, feature_dates.is_current

),

-- Every order that was known on each date: of all customers for the current date, of the sample
-- that models are trained on for past ones. From here on the two are treated alike.
-- orders_cleaned is named twice, since what two read is written down first; and an age is compared
-- where two dates might be, which the engine would sort all orders for.
known_orders as (

    {%- set age_days = customer_value.datediff('orders.order_date', 'dates.as_of_date', 'day') %}
    {%- set columns %}
        orders.customer_id,
        dates.as_of_date,
        orders.order_number,
        orders.net_amount + coalesce(later_refunds.refund_amount, 0) as net_amount,
        orders.discount_amount,
        orders.refund_amount - coalesce(later_refunds.refund_amount, 0) as refund_amount,
        orders.days_since_previous_order,
        {{ age_days }} as age_days
    {%- endset %}

    select {{ columns }}
    from {{ ref('orders_cleaned') }} as orders
    inner join feature_dates as dates on {{ age_days }} > 0
    left join later_refunds
        on
            orders.order_id = later_refunds.order_id
            and later_refunds.is_current
    where dates.is_current

    union all

    select {{ columns }}
    from {{ ref('orders_cleaned') }} as orders
    inner join training_points as dates
        on
            orders.customer_id = dates.customer_id
            and orders.order_date < dates.as_of_date
    left join later_refunds
        on
            orders.order_id = later_refunds.order_id
            and dates.as_of_date = later_refunds.as_of_date
            and not later_refunds.is_current

),

weighted as (

    select
        *,
        case when days_since_previous_order = 0 then 0 else 1 end as purchase_days,
        cast(days_since_previous_order as {{ dbt.type_bigint() }}) * days_since_previous_order as squared_gap
    from known_orders

),

-- Exact sums only: floating point numbers would add up differently with another thread count.
-- So weights that halve with time and square roots are counted in millionths.
histories as (

    select
        customer_id,
        as_of_date,
        count(*) as order_count,
        sum(purchase_days) as purchase_day_count,
        min(age_days) as recency_days,
        max(age_days) as tenure_days,
        sum(net_amount) as net_amount,
        greatest(max(net_amount), 0) as largest_order_amount,
        max_by(net_amount, order_number) as last_order_amount,
        coalesce(sum(squared_gap), 0) as squared_gaps,
        {% for days in [30, 90, 180, 365] -%}
            count(*) filter (where age_days <= {{ days }}) as orders_last_{{ days }}_days_count,
            coalesce(sum(net_amount) filter (where age_days <= {{ days }}), 0) as net_last_{{ days }}_days_amount,
        {% endfor -%}
        coalesce(sum(purchase_days) filter (where age_days <= 30), 0) as purchases_last_30_days,
        coalesce(sum(purchase_days) filter (where age_days <= 90), 0) as purchases_last_90_days,
        count(*) filter (where discount_amount > 0) as discounted_order_count,
        count(*) filter (where refund_amount > 0) as refunded_order_count,
        sum(purchase_days * cast(round(1000000 * power(0.5, age_days / 30.0)) as {{ dbt.type_bigint() }}))
            as purchase_millionths_30,
        sum(purchase_days * cast(round(1000000 * power(0.5, age_days / 90.0)) as {{ dbt.type_bigint() }}))
            as purchase_millionths_90,
        sum(cast(round(1000000 * sqrt(cast(greatest(net_amount, 0) as {{ double }}))) as {{ dbt.type_bigint() }}))
            as root_amount_millionths
    from weighted
    group by customer_id, as_of_date

),

measured as (

    select
        histories.*,
        feature_dates.shop_purchase_amount,
        feature_dates.shop_days_per_repeat,
        feature_dates.orders_per_purchase_day,
        cast(histories.purchase_day_count as {{ double }}) as purchases,
        cast(greatest(histories.net_amount, 0) as {{ double }}) as positive_net_amount,
        least(
            cast(histories.largest_order_amount as {{ double }}), cast(greatest(histories.net_amount, 0) as {{ double }})
        ) as largest_part,
        -- The mean of the gaps between purchase days, and their variance about it.
        cast(histories.tenure_days - histories.recency_days as {{ double }})
        / greatest(histories.purchase_day_count - 1, 1) as mean_gap_days,
        greatest(
            0,
            cast(histories.squared_gaps as {{ double }}) / greatest(histories.purchase_day_count - 1, 1)
            - power(
                cast(histories.tenure_days - histories.recency_days as {{ double }})
                / greatest(histories.purchase_day_count - 1, 1),
                2
            )
        ) as gap_variance
    from histories
    inner join feature_dates on histories.as_of_date = feature_dates.as_of_date

),

-- Personal habits, shrunken to the shop's: everybody is given one purchase of the shop's mean
-- amount, and the days that a repeat purchase takes there.
shrunken as (

    select
        *,
        purchases / (tenure_days + shop_days_per_repeat) as purchases_per_day,
        (positive_net_amount + shop_purchase_amount) / (purchases + 1) as mean_purchase_amount,
        -- The same, but the largest order counts at most as much as five purchases of the shop
        -- or three of the customer's others, whichever is more.
        (
            positive_net_amount - largest_part
            + least(
                largest_part,
                greatest(
                    5 * shop_purchase_amount,
                    3 * (positive_net_amount - largest_part) / greatest(purchases - 1, 1)
                )
            )
            + shop_purchase_amount
        ) / (purchases + 1) as expected_purchase_amount,
        -- Purchases that the customer's own pace would have brought since the last one.
        purchases
        * ln((tenure_days + shop_days_per_repeat) / (tenure_days - recency_days + shop_days_per_repeat))
            as missed_purchases
    from measured

)

select
    customer_id,
    as_of_date,

    -- counts and times
    order_count,
    cast(purchase_day_count as {{ dbt.type_bigint() }}) as purchase_day_count,
    cast(recency_days as {{ dbt.type_int() }}) as recency_days,
    cast(tenure_days as {{ dbt.type_int() }}) as tenure_days,
    cast(recency_days as {{ double }}) / tenure_days as recency_to_tenure_rate,
    case when purchase_day_count > 1 then mean_gap_days end as average_days_between_purchases,
    case when purchase_day_count > 1 then sqrt(gap_variance) end as deviation_of_days_between_purchases,

    -- amounts
    cast(net_amount as {{ customer_value.type_amount() }}) as net_amount,
    cast(net_amount as {{ double }}) / order_count as average_order_value,
    last_order_amount,
    largest_order_amount,

    -- trailing windows
    {% for days in [30, 90, 180, 365] -%}
        orders_last_{{ days }}_days_count,
        cast(net_last_{{ days }}_days_amount as {{ customer_value.type_amount() }}) as net_last_{{ days }}_days_amount,
    {% endfor -%}
    orders_last_90_days_count - (orders_last_180_days_count - orders_last_90_days_count) as order_trend_count,

    -- shares
    cast(discounted_order_count as {{ double }}) / order_count as discounted_order_rate,
    cast(refunded_order_count as {{ double }}) / order_count as refunded_order_rate,

    -- calendar position: a point on the circle of the year
    sin(2 * pi() * extract(doy from as_of_date) / 365.25) as year_position_sine,
    cos(2 * pi() * extract(doy from as_of_date) / 365.25) as year_position_cosine,

    -- what spend is measured against
    purchases_per_day,
    expected_purchase_amount,
    orders_per_purchase_day,

    -- what the models read: free of any currency, and mostly logarithms
    ln(purchases) as log_purchases,
    cast(case when purchase_day_count = 1 then 1 else 0 end as {{ double }}) as single_purchase_indicator,
    ln(1 + recency_days) as log_recency,
    ln(tenure_days) as log_tenure,
    ln(purchases_per_day) as log_purchase_rate,
    ln(1 + missed_purchases) as log_silence,
    greatest(ln(1 + missed_purchases) - 1, 0) as log_long_silence,
    -- The spread of the gaps over their mean, shrunken to that of a random pace by two gaps.
    (sqrt(gap_variance) / greatest(mean_gap_days, 1) * (purchases - 1) + 2) / (purchases + 1) as gap_variation,
    -- How many standard deviations late the next purchase is, by the customer's own gaps.
    case
        when purchase_day_count = 1 then 0.0
        else greatest(
            -3,
            least(
                6,
                (recency_days - mean_gap_days)
                / sqrt((gap_variance * (purchases - 1) + 2 * (power(mean_gap_days, 2) + 1)) / (purchases + 1))
            )
        )
    end as lateness,
    ln(1 + purchases_last_30_days) as log_purchases_last_30_days,
    ln(1 + purchase_millionths_30 / 1000000.0) as log_fading_purchases_30,
    ln(1 + purchase_millionths_90 / 1000000.0) as log_fading_purchases_90,
    -- The recent pace over that of the whole time.
    ln(
        (purchase_millionths_90 / 1000000.0 + 0.5)
        / (purchases_per_day * (1 - power(0.5, tenure_days / 90.0)) * 90 / ln(2) + 0.5)
    ) as log_pace_trend,
    ln(expected_purchase_amount / shop_purchase_amount) as log_amount,
    ln((greatest(cast(last_order_amount as {{ double }}), 0) + 0.25 * mean_purchase_amount) / (1.25 * mean_purchase_amount))
        as log_last_amount,
    ln((cast(largest_order_amount as {{ double }}) + 0.25 * mean_purchase_amount) / (1.25 * mean_purchase_amount))
        as log_largest_amount,
    ln(
        (greatest(cast(net_last_90_days_amount as {{ double }}), 0) + 2 * mean_purchase_amount)
        / ((purchases_last_90_days + 2) * mean_purchase_amount)
    ) as log_recent_amount,
    -- The typical amount (a mean of square roots) over the mean: low where a few orders dominate.
    ln(
        power((root_amount_millionths / 1000000.0 + 0.5 * sqrt(shop_purchase_amount)) / (purchases + 0.5), 2)
        / mean_purchase_amount
    ) as log_typical_amount
from shrunken
