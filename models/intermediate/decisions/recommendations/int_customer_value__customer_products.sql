{#- Customers of past dates, drawn by a hash: so many are learned from, and of these so many judged,
    which tells one method from another. -#}
{%- set past_customers = 10000 -%}
{%- set judged_customers = 2500 -%}
{#- Of a customer's products as many are compared with those of others, those bought most often; fewer
    where the customers are so many that more rows than these would be compared. -#}
{%- set least_compared, most_compared, compared_rows = 10, 200, 10000000 -%}

with splits as (

    select * from {{ ref('int_customer_value__recommendation_splits') }}

),

products as (

    select * from {{ ref('int_customer_value__products_sold') }}

),

customers as (

    select
        customer_id,
        cast(row_number() over (order by customer_id) as {{ dbt.type_int() }}) as customer_number,
        {{ customer_value.hash_fraction("'recommendation:' || customer_id") }} * count(*) over () as draw,
        least(greatest({{ compared_rows }} / count(*) over (), {{ least_compared }}), {{ most_compared }}) as compared_count
    from {{ ref('int_customer_value__products_ordered') }}
    group by customer_id

),

purchase_days as (

    select distinct
        customers.customer_id,
        customers.customer_number,
        customers.draw,
        customers.compared_count,
        products.product_number,
        products_ordered.order_date
    from {{ ref('int_customer_value__products_ordered') }} as products_ordered
    inner join customers on products_ordered.customer_id = customers.customer_id
    inner join products on products_ordered.product_id = products.product_id

),

bought as (

    select
        splits.windows_back,
        purchase_days.customer_id,
        purchase_days.customer_number,
        purchase_days.product_number,
        splits.windows_back = 0 or purchase_days.draw < {{ judged_customers }} as is_judged,
        purchase_days.compared_count,
        splits.recent_from_date,
        splits.split_date,
        count(*) as purchase_day_count,
        min(purchase_days.order_date) as first_order_date,
        max(purchase_days.order_date) as last_order_date,
        -- Millionths, since whole numbers add up to the same in any order.
        {% for days in customer_value.purchase_half_lives() -%}
            sum(
                cast(round(1000000 * power(0.5, {{ customer_value.datediff('purchase_days.order_date', 'splits.split_date', 'day') }} / {{ days }}.0)) as {{ dbt.type_bigint() }})
            ) as recent_purchases_{{ days }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from purchase_days
    inner join splits
        on
            purchase_days.order_date < splits.split_date
            and (splits.windows_back = 0 or purchase_days.draw < {{ past_customers }})
    group by
        splits.windows_back, purchase_days.customer_id, purchase_days.customer_number, purchase_days.product_number, purchase_days.draw,
        purchase_days.compared_count,
        splits.recent_from_date, splits.split_date

),

counted as (

    select
        *,
        count(*) over (partition by windows_back, product_number) as customer_count,
        count(case when last_order_date >= recent_from_date then 1 end) over (partition by windows_back, product_number) as recent_customer_count,
        count(case when purchase_day_count > 1 then 1 end) over (partition by windows_back, product_number) as repeat_customer_count
    from bought

)

select
    windows_back,
    customer_id,
    customer_number,
    product_number,
    customer_count,
    recent_customer_count,
    repeat_customer_count,
    purchase_day_count,
    first_order_date,
    last_order_date,
    {% for days in customer_value.purchase_half_lives() -%}
        recent_purchases_{{ days }},
    {% endfor -%}
    is_judged,
    row_number() over (
        partition by windows_back, customer_number
        order by purchase_day_count desc, last_order_date desc, product_number asc
    ) <= compared_count as is_compared
from counted
where customer_count >= {{ customer_value.fewest_buyers() }}
