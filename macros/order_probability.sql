{#- The chance of at least one order within so many days, 0 at day 0: one less the logistic
    function of what the churn model says. Beyond 30 its exponential is 0 or beyond every use. -#}
{% macro order_probability(days) -%}
    case
        when {{ days }} <= 0 then 0
        else 1 / (1 + exp(greatest(-30, least(30, churn_intercept + churn_slope * ln(greatest({{ days }}, 1))))))
    end
{%- endmacro %}

{#- Purchases expected within so many days if there is at least one: one, and the customer's own
    rate from then on, times the ratio that the spend model gives. -#}
{% macro purchases_if_any(days) -%}
    (1 + purchases_per_day * {{ days }})
    * exp(greatest(-30, least(30, spend_intercept + spend_slope * ln(greatest({{ days }}, 1)))))
{%- endmacro %}
