{#- Whether a time is one that a shop can have lived through. Others are left alone: to move them to
    a zone could overflow. -#}
{% macro is_plausible_time(timestamp) -%}
    ({{ timestamp }} >= timestamp '1900-01-01' and {{ timestamp }} < timestamp '2200-01-01')
{%- endmacro %}
