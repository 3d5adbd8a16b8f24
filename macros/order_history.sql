{#- What customers are told apart by before a campaign, and when its effects are looked up for a plan:
    whether they ordered before, once or more often, or not within the churn window. -#}
{% macro order_history(order_count, recency_days) -%}
    case
        when {{ order_count }} = 0 then 'no_order'
        when {{ recency_days }} >= {{ var('churn_window_days') }} then 'silent'
        when {{ order_count }} = 1 then 'one_order'
        else 'several_orders'
    end
{%- endmacro %}
