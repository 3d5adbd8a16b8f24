{%- set double = customer_value.type_double() -%}
{%- set text = dbt.type_string() -%}
{#- The customers and events below which nothing is said are those of campaign_uplift. -#}
{%- set fewest_customers = 30 -%}
{%- set fewest_events = 5 -%}
{#- 95% of one interval; and where the largest of four levels is looked at. -#}
{%- set quantile = 1.959964 -%}
{%- set quantile_of_four = 2.497705 -%}

with run as (

    select * from {{ ref('int_customer_value__run') }}

),

-- As it was known a churn window ago.
customers as (

    select
        customer_id,
        as_of_date as observed_from_date,
        satisfaction_level,
        case
            when order_count = 1 then '1'
            when order_count <= 3 then '2 to 3'
            when order_count <= 9 then '4 to 9'
            else '10 or more'
        end as order_band,
        last_order_date
    from {{ ref('int_customer_value__satisfaction_signals') }}
    where not is_current

),

-- Fourths by how many ordered strictly later: ties share one, so no key decides.
stratified as (

    select
        *,
        floor(
            4 * cast(rank() over (partition by order_band order by last_order_date desc) - 1 as {{ double }})
            / count(*) over (partition by order_band)
        ) as recency_fourth
    from customers

),

returned as (

    select distinct orders.customer_id
    from {{ ref('orders_cleaned') }} as orders
    cross join run
    where orders.order_date >= cast({{ customer_value.dateadd('day', -var('churn_window_days'), 'run.as_of_date') }} as date)

),

cells as (

    select
        stratified.satisfaction_level,
        stratified.observed_from_date,
        stratified.order_band,
        stratified.recency_fourth,
        count(*) as customer_count,
        count(returned.customer_id) as retained_count
    from stratified
    left join returned on stratified.customer_id = returned.customer_id
    group by stratified.satisfaction_level, stratified.observed_from_date, stratified.order_band, stratified.recency_fourth

),

-- Each level beside all other customers of whom something is known.
tables as (

    select
        cells.satisfaction_level,
        cells.observed_from_date,
        cells.order_band,
        cells.recency_fourth,
        max(cells.customer_count) as customer_count,
        max(cells.retained_count) as retained_count,
        coalesce(sum(others.customer_count), 0) as other_customer_count,
        coalesce(sum(others.retained_count), 0) as other_retained_count
    from cells
    left join cells as others
        on
            cells.order_band = others.order_band
            and cells.recency_fourth = others.recency_fourth
            and cells.satisfaction_level <> others.satisfaction_level
            and others.satisfaction_level <> 'unknown'
    group by cells.satisfaction_level, cells.observed_from_date, cells.order_band, cells.recency_fourth

),

-- The terms of Mantel and Haenszel (1959), and of the variance of Robins, Breslow and Greenland (1986).
terms as (

    select
        *,
        cast(retained_count * (other_customer_count - other_retained_count) as {{ double }})
        / (customer_count + other_customer_count) as agreeing,
        cast((customer_count - retained_count) * other_retained_count as {{ double }})
        / (customer_count + other_customer_count) as opposing,
        cast(retained_count + other_customer_count - other_retained_count as {{ double }})
        / (customer_count + other_customer_count) as agreeing_share
    from tables

),

summed as (

    select
        satisfaction_level,
        observed_from_date,
        cast(sum(customer_count) as {{ dbt.type_bigint() }}) as customer_count,
        cast(sum(retained_count) as {{ dbt.type_bigint() }}) as retained_count,
        cast(sum(other_customer_count) as {{ dbt.type_bigint() }}) as other_customer_count,
        cast(sum(other_retained_count) as {{ dbt.type_bigint() }}) as other_retained_count,
        {% for name, term in [
            ('agreeing', 'agreeing'), ('opposing', 'opposing'), ('both_agreeing', 'agreeing_share * agreeing'),
            ('crossed', 'agreeing_share * opposing + (1 - agreeing_share) * agreeing'), ('both_opposing', '(1 - agreeing_share) * opposing'),
        ] -%}
            cast(sum(cast({{ term }} as decimal(38, 12))) as {{ double }}) as {{ name }} {{- ',' if not loop.last }}
        {% endfor %}
    from terms
    group by satisfaction_level, observed_from_date

),

-- Wilson's interval of a share.
rated as (

    select
        *,
        least(customer_count, other_customer_count) >= {{ fewest_customers }}
        and least(
            retained_count, customer_count - retained_count, other_retained_count, other_customer_count - other_retained_count
        ) >= {{ fewest_events }}
        and agreeing > 0
        and opposing > 0 as is_enough,
        cast(retained_count as {{ double }}) / customer_count as retention,
        (retained_count + {{ quantile }} * {{ quantile }} / 2) / (customer_count + {{ quantile }} * {{ quantile }}) as middle,
        {{ quantile }} * sqrt(
            cast(retained_count as {{ double }}) * (customer_count - retained_count) / customer_count + {{ quantile }} * {{ quantile }} / 4
        ) / (customer_count + {{ quantile }} * {{ quantile }}) as half_width,
        cast(other_retained_count as {{ double }}) / nullif(other_customer_count, 0) as other_retention
    from summed

),

compared as (

    select
        *,
        case when is_enough then ln(agreeing / opposing) end as log_odds_ratio,
        case
            when is_enough
                then sqrt(
                    both_agreeing / (2 * agreeing * agreeing)
                    + crossed / (2 * agreeing * opposing)
                    + both_opposing / (2 * opposing * opposing)
                )
        end as log_error
    from rated

),

judged as (

    select
        *,
        case
            when log_odds_ratio is null then 'too_small'
            when log_odds_ratio > {{ quantile_of_four }} * log_error then 'higher'
            when log_odds_ratio < -{{ quantile_of_four }} * log_error then 'lower'
            else 'no_clear_difference'
        end as verdict
    from compared

)

select
    judged.satisfaction_level,
    judged.observed_from_date,
    run.as_of_date as observed_to_date,
    judged.customer_count,
    judged.retained_count as retained_customer_count,
    round(judged.retention, 9) as retention_rate,
    round(greatest(judged.middle - judged.half_width, 0), 9) as retention_rate_lower,
    round(least(judged.middle + judged.half_width, 1), 9) as retention_rate_upper,
    judged.other_customer_count as compared_customer_count,
    round(judged.other_retention, 9) as compared_retention_rate,
    round(exp(judged.log_odds_ratio), 6) as odds_ratio,
    round(exp(judged.log_odds_ratio - {{ quantile }} * judged.log_error), 6) as odds_ratio_lower,
    round(exp(judged.log_odds_ratio + {{ quantile }} * judged.log_error), 6) as odds_ratio_upper,
    judged.verdict,
    case
        when judged.verdict = 'too_small' then 'Too few customers, or too few of them left or stayed, to say anything.'
        else
            cast(cast(100 * judged.retention as decimal(18, 1)) as {{ text }}) || '% ordered again within '
            || cast(run.churn_window_days as {{ text }}) || ' days, of the others '
            || cast(cast(100 * judged.other_retention as decimal(18, 1)) as {{ text }})
            || '%; among customers of like recency and number of orders their odds are '
            || cast(cast(exp(judged.log_odds_ratio) as decimal(18, 2)) as {{ text }}) || ' times those ('
            || cast(cast(exp(judged.log_odds_ratio - {{ quantile }} * judged.log_error) as decimal(18, 2)) as {{ text }}) || ' to '
            || cast(cast(exp(judged.log_odds_ratio + {{ quantile }} * judged.log_error) as decimal(18, 2)) as {{ text }}) || '); '
            || case judged.verdict
                when 'lower' then 'they stay less often'
                when 'higher' then 'they stay more often'
                else 'no difference that chance could not make'
            end
            || '. An association, and no cause.'
    end as finding,
    run.as_of_date,
    run.run_id
from judged
cross join run
-- Where nothing is known of anybody there is nothing to compare.
where judged.satisfaction_level <> 'unknown' or judged.other_customer_count > 0
