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

buyers_of_any as (

    select
        customer_number,
        count(*) over () as customer_count
    from {{ ref('int_customer_value__products_ordered') }}
    group by customer_number

),

customers as (

    select
        numbered.customer_id,
        numbered.customer_number,
        {{ customer_value.hash_fraction("'recommendation:' || numbered.customer_id") }} * buyers_of_any.customer_count as draw,
        least(greatest({{ compared_rows }} / buyers_of_any.customer_count, {{ least_compared }}), {{ most_compared }}) as compared_count
    from buyers_of_any
    inner join {{ ref('int_customer_value__customers_numbered') }} as numbered on buyers_of_any.customer_number = numbered.customer_number

),

purchase_days as (

    select distinct
        customer_number,
        product_number,
        order_date
    from {{ ref('int_customer_value__products_ordered') }}

),

-- What a purchase of a day counts as of a split. Millionths, since whole numbers add up to the same in
-- any order.
days as (

    select
        order_days.order_date,
        splits.windows_back,
        {% for days in customer_value.purchase_half_lives() -%}
            cast(round(1000000 * power(0.5, {{ customer_value.datediff('order_days.order_date', 'splits.split_date', 'day') }} / {{ days }}.0)) as {{ dbt.type_bigint() }})
                as millionths_{{ days }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from (select distinct order_date from purchase_days) as order_days
    inner join splits on order_days.order_date < splits.split_date

),

bought as (

    select
        days.windows_back,
        purchase_days.customer_number,
        purchase_days.product_number,
        count(*) as purchase_day_count,
        min(purchase_days.order_date) as first_order_date,
        max(purchase_days.order_date) as last_order_date,
        {% for days in customer_value.purchase_half_lives() -%}
            sum(days.millionths_{{ days }}) as recent_purchases_{{ days }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from purchase_days
    inner join days on purchase_days.order_date = days.order_date
    inner join customers on purchase_days.customer_number = customers.customer_number
    where days.windows_back = 0 or customers.draw < {{ past_customers }}
    group by days.windows_back, purchase_days.customer_number, purchase_days.product_number

),

buyers as (

    select
        bought.windows_back,
        bought.product_number,
        count(*) as customer_count,
        count(case when bought.last_order_date >= splits.recent_from_date then 1 end) as recent_customer_count,
        count(case when bought.purchase_day_count > 1 then 1 end) as repeat_customer_count
    from bought
    inner join splits on bought.windows_back = splits.windows_back
    group by bought.windows_back, bought.product_number
    having count(*) >= {{ customer_value.fewest_buyers() }}

)

select
    bought.windows_back,
    customers.customer_id,
    bought.customer_number,
    bought.product_number,
    buyers.customer_count,
    buyers.recent_customer_count,
    buyers.repeat_customer_count,
    bought.purchase_day_count,
    bought.first_order_date,
    bought.last_order_date,
    {% for days in customer_value.purchase_half_lives() -%}
        bought.recent_purchases_{{ days }},
    {% endfor -%}
    bought.windows_back = 0 or customers.draw < {{ judged_customers }} as is_judged,
    row_number() over (
        partition by bought.windows_back, bought.customer_number
        order by bought.purchase_day_count desc, bought.last_order_date desc, bought.product_number asc
    ) <= customers.compared_count as is_compared
from bought
inner join buyers on bought.windows_back = buyers.windows_back and bought.product_number = buyers.product_number
inner join customers on bought.customer_number = customers.customer_number
