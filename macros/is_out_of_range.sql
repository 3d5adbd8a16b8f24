{#- Whether any of some amounts is ten million million or more: a thousand of them still add up
    within the type that sums have. -#}
{% macro is_out_of_range(amounts) -%}
    {% for amount in amounts -%} abs({{ amount }}) >= 10000000000000 {{- ' or ' if not loop.last }} {%- endfor %}
{%- endmacro %}
