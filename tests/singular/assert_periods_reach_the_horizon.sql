-- What the periods promise together, before they are levelled, is what the horizon model says of the
-- whole horizon: nothing is lost to a period that was held at zero.
with terms as (

    select
        customer_id,
        max(cumulative_order_probability) as order_probability,
        sum(expected_net_amount) as net_amount
    from {{ ref('int_customer_value__period_increments') }}
    group by customer_id

),

whole_horizon as (

    select
        customer_curves.customer_id,
        customer_curves.order_probability_in_horizon as order_probability,
        {{ customer_value.order_probability('periods.days_to_end') }}
        * {{ customer_value.purchases_if_any('periods.days_to_end') }}
        * customer_curves.expected_purchase_amount as net_amount
    from {{ ref('int_customer_value__customer_curves') }} as customer_curves
    inner join {{ ref('int_customer_value__periods') }} as periods
        on periods.period_number = {{ var('horizon_periods') }}

)

select
    terms.customer_id,
    terms.net_amount,
    whole_horizon.net_amount as net_amount_in_horizon
from terms
inner join whole_horizon on terms.customer_id = whole_horizon.customer_id
where
    abs(terms.net_amount - whole_horizon.net_amount) > 0.0001 + 1e-9 * abs(whole_horizon.net_amount)
    or abs(terms.order_probability - whole_horizon.order_probability) > 1e-8
