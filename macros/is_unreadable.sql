{#- Whether something was given that could not be cast. Text is looked at only where the cast
    gave nothing: to format every time and amount would cost more than all the cleaning. -#}
{% macro is_unreadable(value, raw_value) -%}
    {{ value }} is null and {{ raw_value }} is not null and trim(cast({{ raw_value }} as {{ dbt.type_string() }})) <> ''
{%- endmacro %}
