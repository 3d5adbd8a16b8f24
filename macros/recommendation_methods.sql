{#- What products that a customer has not bought are ranked by: weights of what all buy now, of what is
    bought with what the customer has, and of what customers who are alike have. The first stands
    where there is nothing to choose by. -#}
{% macro recommendation_methods() -%}
    {{ return([
        {'name': 'popularity', 'popularity': 1, 'item': 0, 'customer': 0},
        {'name': 'item_based', 'popularity': 0, 'item': 1, 'customer': 0},
        {'name': 'user_based', 'popularity': 0, 'item': 0, 'customer': 1},
        {'name': 'item_and_user_based', 'popularity': 0, 'item': 1, 'customer': 1},
        {'name': 'item_based_and_popularity', 'popularity': 1, 'item': 1, 'customer': 0},
        {'name': 'user_based_and_popularity', 'popularity': 1, 'item': 0, 'customer': 2},
        {'name': 'all_three', 'popularity': 1, 'item': 1, 'customer': 2},
    ]) }}
{%- endmacro %}

{#- What products that a customer has bought are ranked by, as expressions over
    int_customer_value__customer_products, there named customer_products: how often, how often lately,
    and the same times how usual it is to buy the product again. The first stands where there is
    nothing to choose by. -#}
{% macro replenishment_methods() -%}
    {%- set methods = [] -%}
    {%- set repeat_share = 'sqrt(customer_products.repeat_customer_count / cast(customer_products.customer_count as ' ~ customer_value.type_double() ~ '))' -%}
    {%- for days in customer_value.purchase_half_lives() -%}
        {%- do methods.append({'name': 'repeated_lately_' ~ days, 'score': 'round(customer_products.recent_purchases_' ~ days ~ ' / 1000000.0 * ' ~ repeat_share ~ ', 9)'}) -%}
        {%- do methods.append({'name': 'lately_' ~ days, 'score': 'customer_products.recent_purchases_' ~ days ~ ' / 1000000.0'}) -%}
    {%- endfor -%}
    {%- do methods.append({'name': 'frequency', 'score': 'customer_products.purchase_day_count'}) -%}
    {%- do methods.append({'name': 'popularity', 'score': 'customer_products.recent_customer_count'}) -%}
    {{ return(methods) }}
{%- endmacro %}

{#- A method's score, over int_customer_value__recommendation_candidates, there named candidates. -#}
{% macro recommendation_score(method) -%}
    {{ method.popularity }} * candidates.popularity_score + {{ method.item }} * candidates.item_score
    + {{ method.customer }} * candidates.customer_score
{%- endmacro %}
