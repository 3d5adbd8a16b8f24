-- What an engineer would write by hand, in DuckDB's own dialect, for the results of
-- orders_cleaned, orders_rejected, customers (without lifecycle_stage), customer_rfm and
-- cohort_retention from the one file that benchmarks/generate_orders.py writes. It is the floor
-- that the package is measured against, so it is meant to be as fast as it honestly can be: it
-- knows the types of the file's columns, which columns the file lacks, and that nothing in it is
-- configurable. benchmarks/speed.py makes the view order_log over the file, runs each statement
-- for itself, and checks that the results are equal.

create macro money(amount) as cast(amount as decimal(18, 2));

create macro try_money(amount) as try_cast(amount as decimal(18, 2));

create macro reject_reason(order_id, customer_id, ordered_at, amount) as case
    when coalesce(order_id, '') = '' then 'missing_order_id'
    when coalesce(customer_id, '') = '' then 'missing_customer_id'
    when ordered_at is null then 'missing_ordered_at'
    when amount is null then 'missing_amount'
    when try_cast(amount as decimal(18, 2)) is null
        then case when isnan(amount) then 'unparseable_amount' when abs(amount) < 1e300 then 'amount_out_of_range' else 'infinite_amount' end
end;

-- The few orders that came more than once, all their versions, the newest first. Only ids need
-- to be read to find them; a hash is grouped faster than text, and a collision does no harm.
create temporary table orders_repeated as
with repeated_hashes as (
    select hash(order_id) as order_id_hash
    from order_log
    group by order_id_hash
    having count(*) > 1
)
select
    *,
    row_number() over (partition by order_id order by updated_at desc, ordered_at desc) as version_rank
from order_log
where
    hash(order_id) in (from repeated_hashes)
    and reject_reason(order_id, customer_id, ordered_at, amount) is null;

-- Beyond which amount an order is an outlier: fences about the quartiles of the logarithm.
create temporary table amount_limits as
with amounts as (
    select try_money(amount) as amount, count(*) as order_count
    from order_log
    where try_money(amount) > 0 and amount < 1e13
    group by all
),

cumulated as (
    select
        amount,
        sum(order_count) over (order by amount) as orders_up_to_here,
        sum(order_count) over () as orders_in_all
    from amounts
),

quartiles as (
    select
        cast(min(amount) filter (4 * orders_up_to_here >= orders_in_all) as double) as lower_quartile,
        cast(min(amount) filter (4 * orders_up_to_here >= 3 * orders_in_all) as double) as upper_quartile
    from cumulated
)
select
    lower_quartile / exp(3 * greatest(ln(upper_quartile / lower_quartile), ln(2))) as lowest_amount,
    upper_quartile * exp(3 * greatest(ln(upper_quartile / lower_quartile), ln(2))) as highest_amount
from quartiles;

create table orders_rejected as
with rejected as (
    select *, reject_reason(order_id, customer_id, ordered_at, amount) as reject_reason
    from order_log
    where reject_reason is not null
    union all by name
    select * exclude (version_rank), 'duplicate_order_id' as reject_reason
    from orders_repeated
    where version_rank > 1
)
select
    order_id,
    customer_id,
    reject_reason,
    try_money(amount) as gross_amount,
    order_id as raw_order_id,
    customer_id as raw_customer_id,
    cast(ordered_at as varchar) as raw_ordered_at,
    cast(amount as varchar) as raw_amount,
    cast(discount_amount as varchar) as raw_discount_amount,
    cast(refund_amount as varchar) as raw_refund_amount,
    cast(null as varchar) as raw_cost_amount,
    cast(null as varchar) as raw_refunded_at,
    cast(updated_at as varchar) as raw_updated_at,
    cast(null as varchar) as raw_refunded_order_id,
    cast(null as varchar) as raw_status,
    cast(null as varchar) as raw_currency,
    channel as raw_channel,
    cast(null as varchar) as raw_store
from rejected;

create table orders_cleaned as
with kept as (
    select * from order_log
    where
        reject_reason(order_id, customer_id, ordered_at, amount) is null
        and hash(order_id) not in (select hash(order_id) from orders_repeated)
    union all
    select * exclude (version_rank) from orders_repeated
    where version_rank = 1
),

sequenced as (
    select
        *,
        cast(ordered_at as date) as order_date,
        row_number() over history as order_number,
        lag(ordered_at) over history as previous_ordered_at,
        first_value(ordered_at) over history as first_ordered_at
    from (
        select * replace (
            money(amount) as amount,
            coalesce(money(discount_amount), 0) as discount_amount,
            coalesce(money(refund_amount), 0) as refund_amount
        )
        from kept
    )
    window history as (partition by customer_id order by ordered_at, order_id)
)
select
    order_id,
    customer_id,
    ordered_at,
    order_date,
    amount as gross_amount,
    money(discount_amount) as discount_amount,
    money(refund_amount) as refund_amount,
    money(amount - discount_amount - refund_amount) as net_amount,
    money(amount - discount_amount - refund_amount) as margin_amount,
    cast(null as varchar) as currency,
    cast(null as varchar) as original_currency,
    cast(null as decimal(18, 2)) as original_gross_amount,
    cast(null as decimal(20, 10)) as exchange_rate,
    channel,
    cast(null as varchar) as store,
    cast(null as varchar) as status,
    cast(null as timestamp) as refunded_at,
    updated_at,
    cast(order_number as integer) as order_number,
    order_number = 1 as is_first_order,
    cast(date_diff('day', previous_ordered_at, ordered_at) as integer) as days_since_previous_order,
    cast(date_trunc('month', first_ordered_at) as date) as cohort_month,
    coalesce(amount > highest_amount or (amount < lowest_amount and amount > 0), false) as is_outlier,
    false as is_imputed,
    cast(null as varchar) as imputed_columns
from sequenced
cross join amount_limits;

create table customers as
with run as (
    select cast(max(ordered_at) + interval 1 day as date) as as_of_date from orders_cleaned
),

histories as (
    select
        customer_id,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        count(*) as order_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(refund_amount) as refund_amount,
        sum(net_amount) as net_amount,
        sum(margin_amount) as margin_amount
    from orders_cleaned
    group by customer_id
)
select
    customer_id,
    first_ordered_at,
    last_ordered_at,
    cast(first_ordered_at as date) as first_order_date,
    cast(last_ordered_at as date) as last_order_date,
    cast(date_trunc('month', first_ordered_at) as date) as cohort_month,
    order_count,
    money(gross_amount) as gross_amount,
    money(discount_amount) as discount_amount,
    money(refund_amount) as refund_amount,
    money(net_amount) as net_amount,
    money(margin_amount) as margin_amount,
    money(net_amount / order_count) as average_order_value,
    round(date_diff('day', first_ordered_at, last_ordered_at) / nullif(order_count - 1, 0), 2)
        as average_days_between_orders,
    cast(date_diff('day', last_ordered_at, as_of_date) as integer) as recency_days,
    cast(date_diff('day', first_ordered_at, as_of_date) as integer) as tenure_days,
    as_of_date
from histories, run;

create table customer_rfm as
with scored as (
    select
        customer_id,
        recency_days,
        order_count,
        net_amount,
        cast(1 + 5 * (rank() over (order by recency_days desc) - 1) // count(*) over () as integer) as recency_score,
        cast(1 + 5 * (rank() over (order by order_count) - 1) // count(*) over () as integer) as frequency_score,
        cast(1 + 5 * (rank() over (order by net_amount) - 1) // count(*) over () as integer) as monetary_score,
        as_of_date
    from customers
)
select
    scored.* exclude (as_of_date),
    rfm_segments.rfm_segment,
    scored.as_of_date
from scored
left join rfm_segments
    on
        scored.recency_score = rfm_segments.recency_score
        and (scored.frequency_score + scored.monetary_score + 1) // 2 = rfm_segments.frequency_monetary_score;

create table cohort_retention as
with activity as (
    select
        cohort_month,
        cast(date_trunc('month', ordered_at) as date) as order_month,
        -- Customers are counted at their first order of a month.
        count(*) filter (
            is_first_order
            or date_trunc('month', cast(ordered_at as date) - days_since_previous_order) < date_trunc('month', ordered_at)
        ) as active_customers,
        count(*) as order_count,
        sum(net_amount) as net_amount
    from orders_cleaned
    group by cohort_month, order_month
),

cohort_months as (
    select
        cohort_month,
        active_customers as cohort_size,
        cast(unnest(generate_series(
            cohort_month, (select max(order_month) from activity), interval 1 month
        )) as date) as order_month
    from activity
    where order_month = cohort_month
)
select
    cohort_month,
    cast(date_diff('month', cohort_month, order_month) as integer) as month_number,
    order_month,
    cohort_size,
    coalesce(active_customers, 0) as active_customers,
    round(coalesce(active_customers, 0) / cohort_size, 6) as retention_rate,
    coalesce(order_count, 0) as order_count,
    money(coalesce(net_amount, 0)) as net_amount,
    money(sum(coalesce(net_amount, 0)) over (partition by cohort_month order by order_month)) as cumulative_net_amount
from cohort_months
left join activity using (cohort_month, order_month);
