{#- The first reasons that apply to every row about a customer, as branches of a case. -#}
{% macro customer_reject_reason(relation) -%}
    when customers_left_out.reason is not null then customers_left_out.reason
    when {{ relation }}.customer_id is null or {{ customer_value.is_blank(relation ~ '.customer_id') }} then 'missing_customer_id'
    when {{ customer_value.is_too_long(relation ~ '.customer_id') }} then 'customer_id_too_long'
{%- endmacro %}

{#- The reasons that apply to a required time. -#}
{% macro time_reject_reason(relation, name) -%}
    when {{ customer_value.is_unreadable(relation ~ '.' ~ name, relation ~ '.raw_' ~ name) }} then 'unparseable_{{ name }}'
    when {{ relation }}.{{ name }} is null then 'missing_{{ name }}'
    when not {{ customer_value.is_plausible_time(relation ~ '.' ~ name) }} then 'implausible_{{ name }}'
    when {{ relation }}.{{ name }} >= {{ customer_value.as_of_date_limit() }} then 'after_as_of_date'
{%- endmacro %}
